//! Why notifications cannot start or go on.

use std::path::PathBuf;

use thiserror::Error;

/// What ends the notifications.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that cannot be used.
    #[error("{variable}={value:?} cannot be used: {reason}")]
    Setting {
        /// The environment variable.
        variable: &'static str,
        /// Its text.
        value: String,
        /// What is wrong and what to write.
        reason: String,
    },
    /// An address, a topic's name or a schema that is none.
    #[error(transparent)]
    Contract(#[from] crate::contrato::Error),
    /// The folder cannot be made.
    #[error("the folder {} cannot be made; check its path and permissions, or name another one with --datos", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The inbox cannot be opened.
    #[error("the inbox {} cannot be opened; end the process that uses it, or name another folder with --datos", path.display())]
    Inbox {
        /// The file.
        path: PathBuf,
        /// The store's error.
        #[source]
        source: Box<redb::Error>,
    },
    /// The inbox is empty or holds bytes that it was not written with.
    #[error("the inbox {} is damaged; restore it from a copy, or remove it: mails of events that are still in the broker may then go out again", path.display())]
    DamagedInbox {
        /// The file.
        path: PathBuf,
        /// The store's error.
        #[source]
        source: Box<redb::Error>,
    },
    /// The client of the broker or of the API cannot be made.
    #[error("the client of {what} cannot be made")]
    Client {
        /// Which.
        what: &'static str,
        /// Its error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The consumption ended.
    #[error(transparent)]
    Consumption(#[from] bitacora_pulsar::Error),
}
