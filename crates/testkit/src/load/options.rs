//! How a load is sized.

/// How much is written.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Seed of all choices; the same seed makes the same choices.
    pub seed: u64,
    /// Count of writers, each with its own session.
    pub writer_count: u32,
    /// Transactions in a second over all writers.
    pub transactions_per_s: f64,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions { seed: 1, writer_count: 4, transactions_per_s: 200.0 }
    }
}
