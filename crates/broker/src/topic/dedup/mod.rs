//! Deduplication: what was sent before is not stored again.

mod policy;
mod stored;
mod table;

pub use policy::DeduplicationPolicy;
pub use stored::StoredDedup;
pub use table::{DedupTable, Verdict};
