//! Collects messages into batches by count, bytes and age. It has no clock: the caller passes the time.

use bitacora_pulsar_wire::{Batch, BatchBuilder, EntryHeader, OutgoingMessage};

use super::options::BatchLimits;
use crate::error::Error;

/// A batch builder with limits. One per producer, on the thread that encodes.
#[derive(Debug, Default)]
pub struct Batcher {
    builder: BatchBuilder,
    limits: BatchLimits,
    /// When the open batch must be finished, milliseconds of the caller's clock.
    deadline_ms: Option<u64>,
}

impl Batcher {
    /// Creates an empty batcher.
    pub fn new(limits: BatchLimits) -> Self {
        Self { builder: BatchBuilder::new(), limits, deadline_ms: None }
    }

    /// Adds a message. If the open batch has no room for it, that batch is finished and returned first.
    ///
    /// # Errors
    /// [`Error::Wire`] when the message cannot be part of any batch; the open batch stays.
    pub fn append(
        &mut self,
        message: &OutgoingMessage<'_>,
        header: &EntryHeader<'_>,
        now_ms: u64,
    ) -> Result<Option<Batch>, Error> {
        let next_bytes = message.value.map_or(0, <[u8]>::len);
        // Checked before the open batch is finished, because an error later would lose that batch.
        if i32::try_from(next_bytes).is_err() {
            return Err(bitacora_pulsar_wire::Error::MessageTooLarge { bytes: next_bytes as u64 }.into());
        }
        let full = if self.limits.is_full(&self.builder, next_bytes) { self.finish(header)? } else { None };
        self.builder.append(message)?;
        self.deadline_ms.get_or_insert(now_ms.saturating_add(self.limits.linger_ms));
        Ok(full)
    }

    /// Returns when the open batch is due, or `None` while there is none.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.deadline_ms
    }

    /// Returns the open batch if it is due.
    ///
    /// # Errors
    /// [`Error::Wire`] when the codec fails.
    pub fn poll(&mut self, header: &EntryHeader<'_>, now_ms: u64) -> Result<Option<Batch>, Error> {
        if self.deadline_ms.is_some_and(|deadline| deadline <= now_ms) { self.finish(header) } else { Ok(None) }
    }

    /// Returns the open batch, due or not.
    ///
    /// # Errors
    /// [`Error::Wire`] when the codec fails.
    pub fn finish(&mut self, header: &EntryHeader<'_>) -> Result<Option<Batch>, Error> {
        self.deadline_ms = None;
        Ok(self.builder.finish(header)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bitacora_pulsar_wire::Codec;

    use super::*;

    const HEADER: EntryHeader<'_> =
        EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: None, codec: Codec::None };

    fn add(batcher: &mut Batcher, sequence_id: u64, bytes: usize, now_ms: u64) -> Option<(u64, u64)> {
        let value = vec![0; bytes];
        let message = OutgoingMessage { value: Some(&value), sequence_id, ..Default::default() };
        let batch = batcher.append(&message, &HEADER, now_ms).unwrap();
        batch.map(|batch| (batch.lowest_sequence_id, batch.highest_sequence_id))
    }

    fn batcher() -> Batcher {
        Batcher::new(BatchLimits { max_messages: 3, max_bytes: 1000, linger_ms: 10 })
    }

    #[test]
    fn a_batch_ends_with_its_count() {
        let mut batcher = batcher();
        let ended: Vec<_> = (1..=7).map(|id| add(&mut batcher, id, 1, 0)).collect();
        assert_eq!(ended, [None, None, None, Some((1, 3)), None, None, Some((4, 6))]);
    }

    #[test]
    fn a_batch_ends_before_it_is_too_large_and_a_larger_message_goes_alone() {
        let mut batcher = batcher();
        assert_eq!(add(&mut batcher, 1, 600, 0), None);
        assert_eq!(add(&mut batcher, 2, 600, 0), Some((1, 1)));
        assert_eq!(add(&mut batcher, 3, 5000, 0), Some((2, 2)));
        assert_eq!(add(&mut batcher, 4, 1, 0), Some((3, 3)));
    }

    #[test]
    fn a_batch_is_due_when_its_first_message_has_waited() {
        let mut batcher = batcher();
        assert_eq!(batcher.deadline_ms(), None);
        add(&mut batcher, 1, 1, 100);
        add(&mut batcher, 2, 1, 109);
        assert_eq!(batcher.deadline_ms(), Some(110));
        assert!(batcher.poll(&HEADER, 109).unwrap().is_none());
        assert_eq!(batcher.poll(&HEADER, 110).unwrap().unwrap().message_count, 2);
        assert_eq!(batcher.deadline_ms(), None);
        assert!(batcher.finish(&HEADER).unwrap().is_none());
    }
}
