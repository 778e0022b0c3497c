//! Bytes of entries that may wait for their receipt.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A bound on pending bytes, of one producer or shared by several. Clones share the bound.
#[derive(Debug, Clone)]
pub struct PendingBudget {
    // A permit is a byte.
    semaphore: Arc<Semaphore>,
    bytes: usize,
}

impl PendingBudget {
    /// Creates a bound of `bytes`, at least 1.
    pub fn new(bytes: usize) -> Self {
        let bytes = bytes.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self { semaphore: Arc::new(Semaphore::new(bytes)), bytes }
    }

    /// Returns the bytes that are pending now.
    pub fn pending_bytes(&self) -> usize {
        self.bytes - self.semaphore.available_permits().min(self.bytes)
    }

    pub(super) async fn take(&self, entry_bytes: usize) {
        // The semaphore is never closed, so this cannot fail.
        if let Ok(permit) = self.semaphore.acquire_many(self.permits(entry_bytes)).await {
            permit.forget();
        }
    }

    /// Takes bytes without waiting. Returns false if they are not free.
    pub(super) fn try_take(&self, entry_bytes: usize) -> bool {
        self.semaphore.try_acquire_many(self.permits(entry_bytes)).map(|permit| permit.forget()).is_ok()
    }

    pub(super) fn give_back(&self, entry_bytes: usize) {
        self.semaphore.add_permits(self.permits(entry_bytes) as usize);
    }

    /// Returns what an entry takes: at most the whole bound, so that a larger entry can be sent when nothing else is
    /// pending.
    fn permits(&self, entry_bytes: usize) -> u32 {
        u32::try_from(entry_bytes.min(self.bytes)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_taken_and_given_back() {
        let budget = PendingBudget::new(100);
        assert!(budget.try_take(60));
        assert!(!budget.clone().try_take(60));
        assert_eq!(budget.pending_bytes(), 60);
        budget.give_back(60);
        assert!(budget.try_take(1_000));
        assert!(!budget.try_take(1));
        budget.give_back(1_000);
        assert_eq!(budget.pending_bytes(), 0);
    }
}
