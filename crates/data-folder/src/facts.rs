//! One `redb` file, here called a file of facts: created atomically, and verified when it is opened.
//!
//! A new file gets its name when it is complete, so a crash leaves all of it or nothing. This program therefore never
//! leaves an empty file under that name: an empty file is damage, as is any page whose checksum does not match. The
//! process registers every open file by device and inode, so that it finds the file when another process asks for a
//! copy (see [`crate::copy`]).

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, StorageError, TransactionError,
    WriteTransaction,
};

use crate::panic::caught;
use crate::rights::{open_private, tighten};

/// The open files: device, inode, database.
static OPEN: Mutex<Vec<(u64, u64, Weak<Database>)>> = Mutex::new(Vec::new());

/// An open file of facts; it is locked against other processes until dropped.
#[derive(Debug)]
pub struct Facts {
    /// `None` only while it is dropped.
    database: Option<Arc<Database>>,
}

impl Facts {
    /// Begins to read; see [`ReadableDatabase::begin_read`].
    ///
    /// # Errors
    /// The file cannot be read or is damaged.
    pub fn begin_read(&self) -> Result<ReadTransaction, TransactionError> {
        let database = self.database()?;
        caught(|| database.begin_read())?
    }

    /// Begins to write; see [`Database::begin_write`].
    ///
    /// # Errors
    /// The file cannot be written or is damaged.
    pub fn begin_write(&self) -> Result<WriteTransaction, TransactionError> {
        let database = self.database()?;
        caught(|| database.begin_write())?
    }

    fn database(&self) -> Result<&Arc<Database>, StorageError> {
        self.database.as_ref().ok_or(StorageError::DatabaseClosed)
    }
}

impl Drop for Facts {
    fn drop(&mut self) {
        let database = self.database.take();
        // The library writes once more when it closes a database, and panics if it finds damage then.
        let _ = caught(move || drop(database));
        registry().retain(|(_, _, known)| known.strong_count() > 0);
    }
}

/// Opens a file of facts, or creates it. All pages of an existing file are verified.
///
/// # Errors
/// Another process has it open, it is damaged, or the disk refuses.
pub fn open_or_make(path: &Path) -> Result<Facts, DatabaseError> {
    if !path.exists() {
        make(path)?;
    }
    open(path)
}

/// Opens an existing file of facts; see [`open_or_make`].
///
/// # Errors
/// It is missing, another process has it open, it is damaged, or the disk refuses.
pub fn open(path: &Path) -> Result<Facts, DatabaseError> {
    let found = fs::metadata(path).map_err(StorageError::from)?;
    if found.len() == 0 {
        return Err(StorageError::Corrupted("the file is empty".to_owned()).into());
    }
    tighten(path);
    let database = caught(|| Builder::new().set_check_integrity_on_open(true).open(path))??;
    let database = Arc::new(database);
    registry().push((found.dev(), found.ino(), Arc::downgrade(&database)));
    Ok(Facts { database: Some(database) })
}

/// Returns whether an error means that the file is damaged, so that a retry cannot help.
pub fn is_damage(error: &redb::Error) -> bool {
    match error {
        redb::Error::Corrupted(_) | redb::Error::UpgradeRequired(_) => true,
        redb::Error::Io(error) => matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof),
        _ => false,
    }
}

/// Keeps a file that this process has open as its last transaction left it, until the result is dropped; `None` if this
/// process does not have it open.
pub(crate) fn hold(file: &Path) -> io::Result<Option<WriteTransaction>> {
    let Some(database) = opened(&fs::metadata(file)?) else { return Ok(None) };
    // An empty transaction: it writes nothing, and no other one can begin while it lasts.
    caught(|| database.begin_write()).map_err(io::Error::other)?.map(Some).map_err(io::Error::other)
}

/// Returns the open database of a file, if this process has it open.
fn opened(file: &fs::Metadata) -> Option<Arc<Database>> {
    let known = registry();
    let mut own = known.iter().filter(|(device, inode, _)| (*device, *inode) == (file.dev(), file.ino()));
    own.find_map(|(_, _, database)| database.upgrade())
}

fn registry() -> MutexGuard<'static, Vec<(u64, u64, Weak<Database>)>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make(path: &Path) -> Result<(), DatabaseError> {
    let half = path.with_extension("new");
    if half.exists() {
        fs::remove_file(&half).map_err(StorageError::from)?;
    }
    // The library turns an empty file into a database, and the file keeps its rights.
    open_private(OpenOptions::new().write(true).create_new(true), &half).map_err(StorageError::from)?;
    drop(Builder::new().create(&half)?);
    fs::rename(&half, path).map_err(StorageError::from)?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(StorageError::from)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use redb::{ReadableTable, TableDefinition};

    use super::*;

    const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("facts");

    #[test]
    fn half_a_database_is_made_again_and_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, half) = (folder.path().join("facts.redb"), folder.path().join("facts.new"));
        fs::write(&half, b"half a database").unwrap();
        drop(open_or_make(&path).unwrap());
        assert!(path.exists() && !half.exists());
        fs::write(&path, b"damaged").unwrap();
        assert!(is_damage(&open_or_make(&path).unwrap_err().into()));
    }

    /// An empty file was once taken for a new one, and all that had been in it was silently missing.
    #[test]
    fn an_empty_file_where_a_database_should_be_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.redb");
        fs::write(&path, b"").unwrap();
        assert!(is_damage(&open_or_make(&path).unwrap_err().into()));
        assert_eq!(fs::metadata(&path).unwrap().len(), 0, "it is left as it was found");
    }

    /// The library panics at pages of zeros. That once ended the thread of a source, while the process went on without
    /// it.
    #[test]
    fn zeros_anywhere_in_a_file_are_damage_or_without_effect() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.redb");
        {
            let facts = open_or_make(&path).unwrap();
            for row in 0..40u64 {
                let write = facts.begin_write().unwrap();
                write.open_table(TABLE).unwrap().insert(row, [row.to_le_bytes()[0]; 900].as_slice()).unwrap();
                write.commit().unwrap();
            }
        }
        let whole = fs::read(&path).unwrap();
        let mut damaged = 0;
        for page in (0..whole.len()).step_by(4_096) {
            let mut bytes = whole.clone();
            let end = whole.len().min(page + 4_096);
            bytes[page..end].fill(0);
            fs::write(&path, &bytes).unwrap();
            match open_or_make(&path) {
                Err(error) => {
                    let error = redb::Error::from(error);
                    assert!(is_damage(&error), "zeros at {page}: {error:?}");
                    damaged += 1;
                }
                Ok(facts) => {
                    let table = facts.begin_read().unwrap().open_table(TABLE).unwrap();
                    assert_eq!(table.iter().unwrap().count(), 40, "zeros at {page}");
                }
            }
        }
        assert!(damaged > 3, "{damaged} pages matter");
    }

    /// Damage that comes while the file is open is not seen by the check at its opening.
    #[test]
    fn zeros_written_while_the_file_is_open_are_an_error_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.redb");
        let facts = open_or_make(&path).unwrap();
        let write = facts.begin_write().unwrap();
        for row in 0..2_000u64 {
            write.open_table(TABLE).unwrap().insert(row, [7; 900].as_slice()).unwrap();
        }
        write.commit().unwrap();
        drop(facts);
        let facts = open_or_make(&path).unwrap();
        let length = fs::metadata(&path).unwrap().len();
        fs::write(&path, vec![0; usize::try_from(length).unwrap()]).unwrap();
        let read = caught(|| -> Result<usize, redb::Error> {
            let table = facts.begin_read()?.open_table(TABLE)?;
            let mut count = 0;
            for row in table.iter()? {
                row?;
                count += 1;
            }
            Ok(count)
        });
        let error = read.map_err(redb::Error::from).and_then(|read| read).unwrap_err();
        assert!(is_damage(&error), "{error:?}");
        drop(facts);
    }
}
