//! Operations on files and folders whose errors name the file.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use super::StorageError;

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StorageError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(StorageError::io("sync", folder))
}

/// Reads a file from an offset on until the buffer is full or the file ends, and returns the number of bytes read.
pub(super) fn read_up_to(file: &File, path: &Path, out: &mut [u8], from: u64) -> Result<usize, StorageError> {
    let mut done = 0;
    while let Some(rest) = out.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, from + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(StorageError::io("read", path)(e)),
        }
    }
    Ok(done)
}
