//! From bytes to [`Event`]: verifies length and checksum, keeps what later events need (format, table maps).
//!
//! Life cycle: one decoder for one connection or file, which gets whole events in their order.
//! [`Decoder::set_checksum`] says which checksum events have before the first format description. An error leaves the
//! decoder as it was before the event.

mod body;
mod checksum;
mod payload;
mod state;

use crate::{
    cursor::Cursor,
    error::Error,
    event::{Body, Event, FormatDescription, PayloadBuffers, TransactionPayload},
    event_type::EventType,
    header::{ChecksumAlgorithm, EventHeader, HEADER_BYTES},
    limits::Limits,
    table::TableMap,
};
use checksum::{read_format, strip_if_present, verify};
pub(crate) use state::State;
use std::sync::Arc;

/// Decodes the events of one log in order.
#[derive(Debug, Default)]
pub struct Decoder {
    limits: Limits,
    checksum: ChecksumAlgorithm,
    state: State,
    payload: PayloadBuffers,
}

impl Decoder {
    /// Creates a decoder for format version 4 without checksums. [`Decoder::set_checksum`] and the log itself change
    /// that.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a decoder with these limits.
    pub fn with_limits(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Sets the checksum that the connection has negotiated; the next format description replaces it.
    pub fn set_checksum(&mut self, checksum: ChecksumAlgorithm) {
        self.checksum = checksum;
    }

    /// Returns the checksum that the next event is expected to have.
    pub fn checksum(&self) -> ChecksumAlgorithm {
        self.checksum
    }

    /// Returns the newest format description.
    pub fn format(&self) -> &FormatDescription {
        &self.state.format
    }

    /// Returns the newest table map of that id.
    pub fn table(&self, table_id: u64) -> Option<&Arc<TableMap>> {
        self.state.tables.get(&table_id).map(|(table, _)| table)
    }

    /// Decodes one whole event, from its header to its checksum.
    ///
    /// # Errors
    /// [`Error::Event`] with the place; [`Error::Truncated`] or [`Error::Length`] when not even the header fits.
    pub fn decode<'a>(&'a mut self, event: &'a [u8]) -> Result<Event<'a>, Error> {
        let header = EventHeader::parse(event)?;
        if u64::from(header.event_bytes) != event.len() as u64 {
            let (announced, actual) = (u64::from(header.event_bytes), event.len() as u64);
            return Err(header.locate(0, Error::Length { announced, actual }));
        }
        if event.len() > self.limits.event_bytes {
            let (announced, limit) = (u64::from(header.event_bytes), self.limits.event_bytes as u64);
            return Err(header.locate(0, Error::TooLong { what: "an event", announced, limit }));
        }
        let body = match header.kind {
            EventType::FORMAT_DESCRIPTION => {
                let format = read_format(&header, event)?;
                self.checksum = format.checksum;
                self.state.tables.clear();
                self.state.format = format;
                return Ok(Event { header, body: Body::FormatDescription(&self.state.format) });
            }
            EventType::ROTATE if header.is_artificial() => strip_if_present(&header, event, self.checksum)?,
            _ => verify(&header, event, self.checksum)?,
        };
        if header.kind == EventType::TRANSACTION_PAYLOAD {
            let mut cursor = Cursor::new(body);
            let payload = TransactionPayload::read(&mut cursor, self.limits, &mut self.state, &mut self.payload)
                .map_err(|error| header.locate(HEADER_BYTES, error))?;
            return Ok(Event { header, body: Body::TransactionPayload(payload) });
        }
        let body = self.state.decode_body(&header, body, self.limits)?;
        Ok(Event { header, body })
    }
}
