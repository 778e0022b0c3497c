//! Tables that the consistent view does not cover.
//!
//! Only engines that keep old versions of rows take part in a view. The others (MyISAM, MEMORY, Aria, CSV, ARCHIVE,
//! MERGE …) show the present rows, and show a change before the log has it. So their tables are locked against writes
//! from before the view is opened until their rows are read. They are read first, by the session that holds the lock.
//! Up to [`AHEAD_BYTES`] of their rows are read without waiting for the caller, so that small tables are unlocked soon.

use super::shape::Shape;

/// Most bytes of rows that are read in advance while their tables are locked.
pub(super) const AHEAD_BYTES: usize = 64 << 20;

/// Returns whether `START TRANSACTION WITH CONSISTENT SNAPSHOT` opens a view of this engine's tables.
pub(crate) fn has_view(engine: &str) -> bool {
    // A table without an engine cannot be read at all, so it needs no lock.
    ["InnoDB", "ROCKSDB", "TokuDB", ""].iter().any(|known| known.eq_ignore_ascii_case(engine))
}

/// Sorts the tables without a view to the front, keeps the order otherwise, and returns the number of those tables.
pub(super) fn put_first(tables: &mut [Shape]) -> usize {
    tables.sort_by_key(|table| has_view(&table.facts.engine));
    tables.iter().take_while(|table| !has_view(&table.facts.engine)).count()
}
