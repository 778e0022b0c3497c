//! A process's data folder: its `redb` files, who may read them, how they are copied while they are in use, and how
//! damage in them is reported.
//!
//! What is stored in a file is its owner's matter. The folder must exist before a file is created in it, and only one
//! process at a time may do that.

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
