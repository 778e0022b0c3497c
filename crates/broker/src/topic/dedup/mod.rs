//! Deduplication: what was sent before is not stored again.

mod policy;
mod stored;
mod table;

pub(crate) use policy::DeduplicationPolicy;
pub(crate) use stored::StoredDedup;
pub(crate) use table::{DedupTable, Verdict};
