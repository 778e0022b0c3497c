//! How a file of small durable facts (`redb`) comes to be: whole, or not at all.
//!
//! What is stored in it belongs to its owner. The folder is there, and one process at a time makes a file in it.

use std::fs::{self, File};
use std::path::Path;

use redb::{Database, DatabaseError, StorageError};

/// Opens a database or makes it. A new one gets its name when it is whole, so that a crash leaves none or all of it.
///
/// # Errors
/// Another process has it open, it is damaged, or the disk refuses.
pub fn open_or_make(path: &Path) -> Result<Database, DatabaseError> {
    if !path.exists() {
        make(path)?;
    }
    Database::create(path)
}

fn make(path: &Path) -> Result<(), DatabaseError> {
    let half = path.with_extension("new");
    if half.exists() {
        fs::remove_file(&half).map_err(StorageError::from)?;
    }
    drop(Database::create(&half)?);
    fs::rename(&half, path).map_err(StorageError::from)?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(StorageError::from)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::open_or_make;

    #[test]
    fn half_a_database_is_made_again_and_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, half) = (folder.path().join("facts.redb"), folder.path().join("facts.new"));
        std::fs::write(&half, b"half a database").unwrap();
        drop(open_or_make(&path).unwrap());
        assert!(path.exists() && !half.exists());
        std::fs::write(&path, b"damaged").unwrap();
        open_or_make(&path).unwrap_err();
    }
}
