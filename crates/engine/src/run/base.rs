//! Bases: where sequence ids begin, and whose they are.

use crate::checkpoint::Epoch;

/// What all checkpoints of one base have in common.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// Whose log is read.
    pub server: String,
    /// `None` for a base of the first format.
    pub epoch: Option<Epoch>,
}
