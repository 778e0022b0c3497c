//! The changes that a load has committed.

use std::collections::BTreeMap;

/// What a committed statement did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The row appeared; also under its new key, if the primary key was changed.
    Insert,
    /// Columns other than the key changed.
    Update,
    /// The row disappeared; also from its old key, if the primary key was changed.
    Delete,
}

/// The columns of a row besides its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowState {
    /// `clave`
    pub clave: i32,
    /// `n`: how often the row of this id was written.
    pub n: i32,
    /// `texto`
    pub texto: String,
}

/// One committed change of the row of one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What happened.
    pub change: Change,
    /// The row afterwards; for a delete the row before it.
    pub row: RowState,
}

/// All committed changes, in order for each id.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Steps by id.
    pub steps: BTreeMap<i64, Vec<Step>>,
}

impl History {
    /// Returns the number of committed row changes.
    pub fn step_count(&self) -> usize {
        self.steps.values().map(Vec::len).sum()
    }
}
