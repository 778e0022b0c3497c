//! Options of a load.

/// How much a load writes.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Seed of all choices; the same seed makes the same choices.
    pub seed: u64,
    /// Number of writers, each with its own session.
    pub writer_count: u32,
    /// Transactions per second of all writers together.
    pub transactions_per_s: f64,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions { seed: 1, writer_count: 4, transactions_per_s: 200.0 }
    }
}
