//! Only the user that runs the process may read what is stored, because the files hold rows of other databases.
//!
//! Folders are created with mode 0700 and files with 0600, whatever the umask is. If an earlier version left wider
//! rights, opening tightens them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

const OTHERS: u32 = 0o077;

/// Creates a folder and the missing ones above it, for this user alone. An existing folder is not changed.
///
/// # Errors
/// The system refuses.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file with these options; a new file is readable for this user alone.
///
/// # Errors
/// The system refuses.
pub fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.mode(0o600).open(path)
}

/// Removes the rights of other users from a file or folder that this program created; a warning says if the system
/// refuses.
pub fn tighten(path: &Path) {
    let Ok(found) = fs::metadata(path) else { return };
    let mode = found.permissions().mode();
    if mode & OTHERS == 0 {
        return;
    }
    match fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS & 0o7777)) {
        Ok(()) => tracing::info!(path = %path.display(), "other users could read this; its rights are tightened"),
        Err(error) => {
            tracing::warn!(
                path = %path.display(),
                %error,
                "other users can read this, and its rights cannot be changed; take them from others (chmod go=)"
            );
        }
    }
}

/// Tightens a folder that the user named, if it is empty or holds one of these entries, which shows that it is this
/// program's. Other programs may need any other folder (`/tmp`, a home folder), so its rights stay, and a warning says
/// so.
pub fn tighten_own(folder: &Path, entries: &[&str]) {
    let is_empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty || entries.iter().any(|entry| folder.join(entry).exists()) {
        return tighten(folder);
    }
    let is_wide = fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & OTHERS != 0);
    if is_wide {
        tracing::warn!(
            folder = %folder.display(),
            "other users can list this folder, what is made in it is closed to them; use a folder of its own (chmod \
            go=)"
        );
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
