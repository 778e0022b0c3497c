//! Tables whose rows the consistent view does not have.
//!
//! A view belongs to the engines that keep old versions of rows. The others (MyISAM, MEMORY, Aria, CSV, ARCHIVE, MERGE
//! …) show what is there now, and show a change before the log has it. So their tables are locked against writes from
//! before the view until their rows are read. They are read first, by the session that holds the lock, and up to
//! [`AHEAD_BYTES`] of them are read without waiting for the caller, so that small tables are free again at once.

use super::shape::Shape;

/// Rows that are read ahead of the caller while their tables are locked.
pub(super) const AHEAD_BYTES: usize = 64 << 20;

/// Returns whether `START TRANSACTION WITH CONSISTENT SNAPSHOT` opens a view of this engine's tables.
pub(crate) fn has_view(engine: &str) -> bool {
    // A table without an engine cannot be read at all, so it needs no lock.
    ["InnoDB", "ROCKSDB", "TokuDB", ""].iter().any(|known| known.eq_ignore_ascii_case(engine))
}

/// Puts the tables without a view first and returns their number. The order is kept otherwise.
pub(super) fn put_first(tables: &mut [Shape]) -> usize {
    tables.sort_by_key(|table| has_view(&table.facts.engine));
    tables.iter().take_while(|table| !has_view(&table.facts.engine)).count()
}
