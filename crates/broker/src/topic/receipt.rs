//! What a producer is still owed.

use std::sync::Arc;

use super::handle::ProducerHandle;

/// A receipt that waits for the disk.
#[derive(Debug)]
pub(super) struct PendingReceipt {
    pub producer: Arc<ProducerHandle>,
    pub sequence_id: u64,
    pub highest_sequence_id: Option<u64>,
    /// The entry's offset; `None` for a duplicate.
    pub offset: Option<u64>,
    /// The receipt may go out when everything below is durable.
    pub release_at: u64,
    /// Id to be noted as persisted.
    pub deduplicated: Option<i64>,
    /// Counted against its connection until then.
    pub bytes: usize,
}

impl PendingReceipt {
    /// Returns the offset of the entry, which may not be durable yet; `None` for a duplicate.
    pub(super) fn first_offset(&self) -> Option<u64> {
        self.offset
    }

    /// Forgets the sequence id: the table was emptied, and must not get an id from the time before.
    pub(super) fn forget_sequence_id(&mut self) {
        self.deduplicated = None;
    }
}
