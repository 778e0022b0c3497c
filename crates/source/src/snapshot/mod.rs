//! The first snapshot: all rows of the captured tables as of one exact position of the log, without gap or overlap.
//!
//! How the position becomes exact:
//! - MariaDB: `START TRANSACTION WITH CONSISTENT SNAPSHOT` and the status variables `Binlog_snapshot_file/position`,
//!   which name the position of just this view. No lock.
//! - MySQL: `FLUSH TABLES WITH READ LOCK`, open the view, read the position and the tables' shapes, unlock.
//! - Without RELOAD: `LOCK TABLES … READ` on the captured tables in a second session. Whoever has written to one of them
//!   holds its metadata lock until the commit is over, so nothing of these tables is between view and position.
//!
//! Life cycle: [`Snapshot::begin`], then [`Snapshot::read_chunk`] until [`SnapshotState::End`]. Rows are read only when
//! the caller asks, so a slow sink holds back the server. Each row becomes the image that a binlog insert would have
//! ([`SnapshotChunk`]), and goes through the same plan as the stream.

mod begin;
mod chunk;
mod column;
mod reader;

pub use begin::{Exactness, Snapshot, SnapshotOptions, SnapshotTable};
pub use chunk::{SnapshotChunk, SnapshotProgress, SnapshotState};
