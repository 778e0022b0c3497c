//! The data directory: an append-only log for each topic, and one transactional file for the metadata.
//!
//! ```text
//! LOCK                      locked while a broker runs
//! control/                  sockets of running processes, for backups (`bitacora_data_folder`)
//! metadata.redb             namespaces, topics, cursors, schemas, epochs, last sequence ids
//! topics/<id>/<ledger>.log  segments of a topic, both numbers as 16 hexadecimal digits
//! ```
//!
//! Everything belongs to one user: folders have the mode 0700, files 0600. Metadata and logs refer to each other: a
//! topic has a number, which is the name of its folder, and an incarnation, which is in the head of every segment. No
//! number is used twice.
//!
//! The broker sends a receipt after `fdatasync`. One thread syncs for all topics, and entries that arrive while it
//! syncs join the next round. After a failed write or sync the state of the disk is unknown, so the topic accepts no
//! more entries until it is opened again.

mod backup;
mod commit;
mod damage;
mod directory;
mod error;
mod file;
mod head;
mod identity;
mod log;
mod metadata;
mod record;
mod recovery;
mod segment;

pub use backup::back_up;
pub(crate) use commit::Committer;
pub(crate) use directory::{DataDirectory, FoundFolder};
pub use error::StorageError;
pub(crate) use identity::{DurableEnd, KnownLog, TopicIdentity};
pub(crate) use log::{Position, Record, TopicLog};
pub(crate) use metadata::{Change, Store, key, value};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod identity_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests;
