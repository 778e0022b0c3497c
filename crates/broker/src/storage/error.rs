//! The errors of the data directory.

use std::{
    io,
    path::{Path, PathBuf},
};

use rustix::io::Errno;

/// Why the data directory cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The system refused an operation on a file.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// The operation that failed.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: std::sync::Arc<io::Error>,
    },
    /// A file holds bytes that this broker did not write.
    #[error(
        "{} is damaged at byte {byte_offset}: {reason}; restore the file from a backup, or delete the topic",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Offset of the damage.
        byte_offset: u64,
        /// The damage.
        reason: &'static str,
    },
    /// A folder holds a log of another topic, or of another life of the topic.
    #[error(
        "{} belongs to {named}, not to {wanted}, so it is not opened; restore metadata.redb and topics/ from one \
         backup",
        path.display()
    )]
    OtherTopic {
        /// The segment.
        path: PathBuf,
        /// The topic that its head names.
        named: String,
        /// The topic that the metadata names.
        wanted: String,
    },
    /// There are logs, but no metadata.
    #[error(
        "{} is missing, but {} holds the logs of {count} topics; restore it from a backup, or let `bitacora repair` \
         create it again from the logs (subscriptions, schemas and policies would be lost)",
        path.display(), topics.display()
    )]
    MissingMetadata {
        /// The file.
        path: PathBuf,
        /// The folder of the logs.
        topics: PathBuf,
        /// Topics with a log.
        count: usize,
    },
    /// The metadata file is empty or holds bytes that this broker did not write.
    #[error(
        "{} is damaged ({reason}); restore it from a backup, or move it away and let `bitacora repair` create it again \
         from the logs (subscriptions, schemas and policies would be lost)",
        path.display()
    )]
    DamagedMetadata {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The folder is an unfinished backup, or cannot be backed up.
    #[error("{0}")]
    Backup(String),
    /// Another broker uses the data directory.
    #[error("the data directory {} is in use by another broker; end it or choose another directory", .0.display())]
    Locked(PathBuf),
    /// The metadata file cannot be used.
    #[error("cannot use the metadata file: {0}")]
    Metadata(String),
    /// An earlier write of this log failed.
    #[error("an earlier write of the topic's log failed ({0}); it accepts no entries until the broker is restarted")]
    Poisoned(String),
}

impl StorageError {
    /// Returns whether the process, or the system, has no file descriptor left.
    pub(super) fn is_out_of_descriptors(&self) -> bool {
        let Self::Io { cause, .. } = self else { return false };
        matches!(Errno::from_io_error(cause), Some(Errno::MFILE | Errno::NFILE))
    }

    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { action, path, cause: std::sync::Arc::new(cause) }
    }
}

/// Returns the error for a file that holds bytes which this broker did not write.
pub(super) fn corrupt(path: &Path, byte_offset: u64, reason: &'static str) -> StorageError {
    StorageError::Corrupt { path: path.to_owned(), byte_offset, reason }
}
