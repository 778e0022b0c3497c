//! The snapshot: all rows of the captured tables as of one exact position of the log, without gap or overlap.
//!
//! How view and position are made to agree:
//! - MariaDB: `START TRANSACTION WITH CONSISTENT SNAPSHOT`, and then the status variables
//!   `Binlog_snapshot_file/position`, which name the position of exactly this view. No lock.
//! - MySQL: the view is opened in a moment in which no transaction is between log and engine (`bracket`). No lock.
//! - A MySQL that is never quiet: a lock while the view is opened and the position is read (`locked_view`), with a
//!   bounded wait (`lock`).
//! - Tables of engines without a view: they are locked until their rows are read (`uncovered`).
//!
//! The tables' shapes are read before all this, and compared again before each table is read (`shape`).
//!
//! Life cycle: [`Snapshot::begin`], then [`Snapshot::read_chunk`] until [`SnapshotState::End`]. Rows are read only when
//! the caller asks, so a slow sink holds back the server. Each row becomes the image that an insert would have in the
//! binlog ([`SnapshotChunk`]), and goes through the same plan as rows of the stream.

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
