//! The limit on open files of the process: each connection has one, and so have the topics that are written to.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one, which needs no rights. Where that is refused the broker runs with what it
/// has.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    // No limit is `None`: a soft one of that kind is at its end already.
    if limit.current.is_some()
        && limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
    {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
