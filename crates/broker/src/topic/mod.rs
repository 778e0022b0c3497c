//! Topics: producers, deduplication, the way of a message into the log and out to subscriptions.

mod dedup;
mod producers;

pub use dedup::{DedupTable, Verdict};
pub use producers::{AccessMode, Admission, ProducerKey, ProducerSpec, Producers, Promotion, Refusal};
