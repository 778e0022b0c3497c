//! Who may read what is stored: the user that runs the process, and nobody else.
//!
//! Rows of other people's databases lie in these files. Folders are made with 0700 and files with 0600 whatever the umask
//! says; what an earlier version left wider is tightened when it is opened.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

const OTHERS: u32 = 0o077;

/// Makes a folder, and those above it that are missing, for this user alone. One that is there stays as it is.
///
/// # Errors
/// The system refuses.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file with these options; one that is made by it is this user's alone.
///
/// # Errors
/// The system refuses.
pub fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.mode(0o600).open(path)
}

/// Takes the rights of others from a file or folder that this program made. Where the system refuses, a warning says so.
pub fn tighten(path: &Path) {
    let Ok(found) = fs::metadata(path) else { return };
    let mode = found.permissions().mode();
    if mode & OTHERS == 0 {
        return;
    }
    match fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS & 0o7777)) {
        Ok(()) => tracing::info!(path = %path.display(), "other users could read this; its rights are tightened"),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "other users can read this, and its rights cannot be changed; take them from others (chmod go=)");
        }
    }
}

/// Tightens a folder that a person named, if it is empty, or has one of these entries and so is this program's. Any other folder
/// may be one that other programs need (`/tmp`, a home folder): it stays as it is, and a warning says so.
pub fn tighten_own(folder: &Path, entries: &[&str]) {
    let is_empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty || entries.iter().any(|entry| folder.join(entry).exists()) {
        return tighten(folder);
    }
    let is_wide = fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & OTHERS != 0);
    if is_wide {
        tracing::warn!(folder = %folder.display(), "other users can list this folder, what is made in it is closed to them; use a folder of its own (chmod go=)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_closed_to_others_and_what_was_open_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, file) = (folder.path().join("a/b"), folder.path().join("a/b/file"));
        make_folder(&inner).unwrap();
        open_private(OpenOptions::new().write(true).create(true).truncate(false), &file).unwrap();
        assert_eq!((mode(&folder.path().join("a")), mode(&inner), mode(&file)), (0o700, 0o700, 0o600));
        fs::set_permissions(&file, Permissions::from_mode(0o664)).unwrap();
        tighten(&file);
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&inner, Permissions::from_mode(0o755)).unwrap();
        tighten_own(&inner, &["metadata.redb"]);
        assert_eq!(mode(&inner), 0o755, "not known to be ours");
        tighten_own(&inner, &["file"]);
        assert_eq!(mode(&inner), 0o700);
    }
}
