//! Deduplication: a message that is sent again is not stored again.

mod policy;
mod stored;
mod table;

pub(crate) use policy::DeduplicationPolicy;
pub(crate) use stored::StoredDedup;
pub(crate) use table::{DedupTable, Verdict};
