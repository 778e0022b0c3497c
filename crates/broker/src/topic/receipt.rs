//! Receipts that are still to be sent to producers.

use std::sync::Arc;

use super::handle::ProducerHandle;

/// A receipt that is sent when its entry is durable.
#[derive(Debug)]
pub(super) struct PendingReceipt {
    pub producer: Arc<ProducerHandle>,
    pub sequence_id: u64,
    pub highest_sequence_id: Option<u64>,
    /// The entry's offset; `None` for a duplicate.
    pub offset: Option<u64>,
    /// The receipt may be sent when every entry below this offset is durable.
    pub release_at: u64,
    /// Sequence id to be recorded as persisted then.
    pub deduplicated: Option<i64>,
    /// Size of the entry; it counts as in flight on its connection until then.
    pub bytes: usize,
}

impl PendingReceipt {
    /// Returns the offset of the entry, which may not be durable yet; `None` for a duplicate.
    pub(super) fn first_offset(&self) -> Option<u64> {
        self.offset
    }

    /// Forgets the sequence id, because the table was emptied and must not get an id from before that.
    pub(super) fn forget_sequence_id(&mut self) {
        self.deduplicated = None;
    }
}
