//! Files of small durable facts (`redb`): how they come to be, how damage in them is told, how they are copied while they
//! are in use, and who may read them.
//!
//! What is stored in such a file belongs to its owner. The folder is there, and one process at a time makes a file in it.

mod backup;
mod control;
mod facts;
mod panic;
mod rights;

pub use backup::{BackupError, UNFINISHED, copy, copy_file, finish, prepare, refuse_unfinished};
pub use control::CopyService;
pub use facts::{Facts, is_damage, open, open_or_make};
pub use panic::{caught, end_at_panic};
pub use rights::{make_folder, open_private, tighten, tighten_own};
