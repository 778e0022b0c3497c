//! Where a source goes on after a restart.
//!
//! A checkpoint names a transaction end in the server's log before which every message is durable at the sink, and the
//! logical offset there. Position, offset and table descriptions change in one transaction of the store: a restart sees
//! all of them from the same moment, so no schema history has to be replayed.
//!
//! The logical offset is the source of all sequence ids (see [`crate::pipeline::logical_offset`]). A source that begins
//! (no checkpoint, a new snapshot, the log of another server) gets a *base*: an [`Epoch`] and a logical offset to count
//! from. The epoch is part of the names of the source's producers, so a broker never compares ids of two bases
//! (`docs/decisions/0010-identities.md`).

mod epoch;
mod error;
mod format;
mod mark;
mod milestone;
mod point;
mod store;

pub(crate) use epoch::Epoch;
pub use error::CheckpointError;
pub(crate) use mark::TopicMark;
pub(crate) use point::Checkpoint;
pub(crate) use store::{CheckpointStore, FormerMarks, Save, Saved};

#[cfg(test)]
mod tests;
