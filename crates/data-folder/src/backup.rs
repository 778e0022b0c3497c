//! Copies of a data folder, one file at a time, while its processes run or not.
//!
//! A `redb` file is copied while the process that has it open holds an empty write transaction. No other write
//! transaction can run then, so the bytes are those of the last one that was committed. The copy is then opened and
//! verified. It is written by the process that takes the backup, because a service is often allowed to write only into
//! its own data folder. An unfinished copy holds [`UNFINISHED`], and no process starts from it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::DatabaseError;
use thiserror::Error;

use crate::control::held_elsewhere;
use crate::facts::open;
use crate::rights::{make_folder, open_private};

/// Name of the file that marks a folder as an unfinished copy.
pub const UNFINISHED: &str = "UNFINISHED-BACKUP";

/// Why a folder could not be copied.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The target has something in it.
    #[error("{} is not empty; name a folder that is empty or does not exist yet", .0.display())]
    NotEmpty(PathBuf),
    /// The folder is a copy that was cut off.
    #[error("{} holds a backup that was not finished (there is a file {UNFINISHED}); use another backup", .0.display())]
    Unfinished(PathBuf),
    /// A process uses the file and cannot be asked.
    #[error(
        "{} is in use by a process that cannot be asked for a copy; stop it, or start it again with this version",
        .0.display()
    )]
    InUse(PathBuf),
    /// The system refused.
    #[error(
        "{} cannot be copied to {}: {cause}; mend the cause and take the backup again into another folder",
        file.display(),
        to.display()
    )]
    Copy {
        /// What was to be copied.
        file: PathBuf,
        /// Where to.
        to: PathBuf,
        /// The reason.
        cause: io::Error,
    },
    /// The original, or its copy, is damaged.
    #[error("{} cannot be used: {cause}; it was damaged before or while it was copied", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What the database says.
        cause: Box<DatabaseError>,
    },
}

/// Creates the folder of a copy and marks it as unfinished.
///
/// # Errors
/// It has something in it, or the system refuses.
pub fn prepare(to: &Path) -> Result<(), BackupError> {
    let failed = |cause| BackupError::Copy { file: to.to_owned(), to: to.to_owned(), cause };
    make_folder(to).map_err(failed)?;
    if fs::read_dir(to).map_err(failed)?.next().is_some() {
        return Err(BackupError::NotEmpty(to.to_owned()));
    }
    let marked = open_private(OpenOptions::new().write(true).create_new(true), &to.join(UNFINISHED));
    marked.and_then(|file| file.sync_all()).and_then(|()| sync_folder(to)).map_err(failed)
}

/// Declares a copy finished; everything in it has been made durable.
///
/// # Errors
/// The system refuses.
pub fn finish(to: &Path) -> Result<(), BackupError> {
    let failed = |cause| BackupError::Copy { file: to.to_owned(), to: to.to_owned(), cause };
    sync_folder(to).map_err(failed)?;
    fs::remove_file(to.join(UNFINISHED)).map_err(failed)?;
    sync_folder(to).map_err(failed)
}

/// Refuses a data folder that is an unfinished copy.
///
/// # Errors
/// It is one.
pub fn refuse_unfinished(data_dir: &Path) -> Result<(), BackupError> {
    if data_dir.join(UNFINISHED).exists() { Err(BackupError::Unfinished(data_dir.to_owned())) } else { Ok(()) }
}

/// Copies one `redb` file as its last transaction left it, whether a process of the data folder has it open or not.
///
/// # Errors
/// It is in use by a process that cannot be asked, is damaged, or the system refuses.
pub fn copy(data_dir: &Path, file: &Path, to: &Path) -> Result<(), BackupError> {
    let failed = |cause| BackupError::Copy { file: file.to_owned(), to: to.to_owned(), cause };
    let damaged = |file: &Path| {
        let file = file.to_owned();
        move |source| match source {
            DatabaseError::DatabaseAlreadyOpen => BackupError::InUse(file),
            cause => BackupError::Damaged { file, cause: Box::new(cause) },
        }
    };
    let absolute = std::path::absolute(file).map_err(failed)?;
    if held_elsewhere(data_dir, &absolute, || copy_file(file, to)).map_err(failed)?.is_none() {
        // No other process can open the file, and so write it, while it is open here.
        let _held = open(file).map_err(damaged(file))?;
        copy_file(file, to).map_err(failed)?;
    }
    drop(open(to).map_err(damaged(to))?);
    let synced = to.parent().map_or(Ok(()), sync_folder);
    synced.map_err(failed)
}

/// Copies a file without transactions and makes the copy durable; bytes that are appended meanwhile may be missing.
///
/// # Errors
/// The system refuses.
pub fn copy_file(file: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(file)?;
    let mut copy = open_private(OpenOptions::new().write(true).create_new(true), to)?;
    io::copy(&mut from, &mut copy)?;
    copy.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use redb::TableDefinition;

    use super::*;
    use crate::{CopyService, Facts, open_or_make};

    const TABLE: TableDefinition<'_, u64, u64> = TableDefinition::new("facts");

    fn add(facts: &Facts, row: u64) {
        let write = facts.begin_write().unwrap();
        write.open_table(TABLE).unwrap().insert(row, row).unwrap();
        write.commit().unwrap();
    }

    fn rows(path: &Path) -> Vec<u64> {
        let facts = open(path).unwrap();
        let read = facts.begin_read().unwrap();
        (0..1_000).filter(|row| read.open_table(TABLE).unwrap().get(*row).unwrap().is_some()).collect()
    }

    /// A copy that was taken during a write was whole only by luck.
    #[test]
    fn a_copy_of_a_file_under_writes_is_the_state_of_one_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.redb");
        let facts = open_or_make(&path).unwrap();
        let _service = CopyService::start(folder.path()).unwrap();
        add(&facts, 0);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| (1..300).for_each(|row| add(&facts, row)));
            let mut copies = 0;
            while !writing.is_finished() {
                let to = folder.path().join(format!("copy-{copies}"));
                copy(folder.path(), &path, &to).unwrap();
                let found = rows(&to);
                assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>(), "none is missing in between");
                copies += 1;
            }
            assert!(copies > 1);
        });
        drop(facts);
        copy(folder.path(), &path, &folder.path().join("last")).unwrap();
        assert_eq!(rows(&folder.path().join("last")).len(), 300, "a file that nobody has open");
    }

    #[test]
    fn a_folder_with_something_in_it_is_refused_and_so_is_a_start_from_an_unfinished_copy() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("deep/copy");
        prepare(&to).unwrap();
        assert!(matches!(prepare(&to), Err(BackupError::NotEmpty(_))));
        assert!(matches!(refuse_unfinished(&to), Err(BackupError::Unfinished(_))));
        finish(&to).unwrap();
        refuse_unfinished(&to).unwrap();
    }
}
