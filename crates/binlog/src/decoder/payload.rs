//! The events inside a compressed transaction.

use crate::{
    error::Error,
    event::{Event, TransactionPayload},
};

impl TransactionPayload<'_> {
    /// Decodes the next event of the transaction; `None` at its exact end.
    ///
    /// # Errors
    /// Damage, or an event that cannot stand inside a payload. After an error the rest of the payload cannot be read.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Error> {
        let limits = self.events.limits();
        let Some((header, body)) = self.events.next()? else { return Ok(None) };
        let body = self.state.decode_body(&header, body, limits)?;
        Ok(Some(Event { header, body }))
    }
}
