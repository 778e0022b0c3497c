//! Raises the process's limit of open files. Each connection needs one, and so does each topic that is written to.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard limit, which needs no privileges. If the system refuses, the broker runs with the
/// present limit.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    // `None` means unlimited, which cannot be raised.
    if limit.current.is_some()
        && limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
    {
        tracing::debug!(%error, "the limit of open files could not be raised");
    }
}
