//! The first snapshot: all rows of the captured tables as of one exact position of the log, without gap or overlap.
//!
//! How the position becomes exact:
//! - MariaDB: `START TRANSACTION WITH CONSISTENT SNAPSHOT` and the status variables `Binlog_snapshot_file/position`,
//!   which name the position of just this view. No lock.
//! - MySQL: the view is opened in a moment in which no transaction is between log and engine (`bracket`). No lock.
//! - A MySQL that is never quiet: a lock for view and position alone (`locked_view`), whose wait is bounded (`lock`).
//! - Tables of engines without a view are locked until their rows are read (`uncovered`).
//!
//! Shapes are read before all this and compared at each table's turn (`shape`).
//!
//! Life cycle: [`Snapshot::begin`], then [`Snapshot::read_chunk`] until [`SnapshotState::End`]. Rows are read only when
//! the caller asks, so a slow sink holds back the server. Each row becomes the image that a binlog insert would have
//! ([`SnapshotChunk`]), and goes through the same plan as the stream.

mod attempt;
mod begin;
mod bracket;
mod chunk;
mod column;
mod lock;
mod locked_view;
mod look;
mod options;
mod position;
mod reader;
mod session;
mod shape;
mod state;
mod uncovered;
mod view;

pub use chunk::{SnapshotChunk, SnapshotProgress, SnapshotState};
pub use options::{SnapshotContent, SnapshotOptions};
pub use state::{Snapshot, SnapshotTable};
pub(crate) use uncovered::has_view;
pub use view::Exactness;
