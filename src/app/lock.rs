//! The lock of this host: one engine and one listener on it, whatever the database is.

use std::{
    fs::{DirBuilder, File},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::AppError;
use crate::store::{FileId, Store};

/// What this host's lock and mark stand beside: the database's file, or a name for the server among our data.
pub(super) fn beside(store: &Store) -> Result<PathBuf, AppError> {
    if !store.is_shared() {
        return Ok(PathBuf::from(store.path()));
    }
    let set = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let data = set.unwrap_or_else(|| std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from).join(".local/share"));
    let folder = data.join("dialdeck");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let name: String = store.path().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ok(folder.join(name))
}

pub(super) fn lock_path(database: &Path) -> PathBuf {
    PathBuf::from(format!("{}.lock", Store::real_path(database).display()))
}

/// The host's lock beside the database: one engine and one listener. `None` while another process holds it.
///
/// # Errors
/// When the file beside the database cannot be made or locked.
pub fn lock(database: &Path) -> Result<Option<File>, AppError> {
    let path = lock_path(database);
    let fail = |why: String| AppError::Lock { path: path.display().to_string(), why };
    let file = File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path).map_err(|e| fail(e.to_string()))?;
    // Whoever may open it may hold it and keep every start out; earlier releases left it open to all.
    if let Err(e) = file.set_permissions(std::fs::Permissions::from_mode(0o600)) {
        tracing::warn!(target: "app", error = %e, "{} cannot be closed to others", path.display());
    }
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(e) => Err(fail(e.to_string())),
    }
}

/// Whether a lock is still the one beside the database: who stood still for long has lost its place to another process of
/// this host, and holds a file without a name.
pub(super) fn still_ours(lock: &File, database: &Path) -> bool {
    let held = FileId::opened(lock);
    FileId::of(&lock_path(database)).is_ok_and(|there| held.is_ok_and(|held| held == there))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lock_a_database() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("t.db");
        let held = lock(&database).unwrap();
        assert!(held.is_some() && lock(&database).unwrap().is_none());
        drop(held);
        let again = lock(&database).unwrap().unwrap();
        assert!(still_ours(&again, &database));
        std::fs::remove_file(lock_path(&database)).unwrap();
        assert!(!still_ours(&again, &database), "gone");
        let theirs = lock(&database).unwrap();
        assert!(theirs.is_some() && !still_ours(&again, &database), "another process has its name");
    }
}
