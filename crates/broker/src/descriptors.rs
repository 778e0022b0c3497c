//! The limit on open files of the process: each connection has one, and so have the topics that are written to.

/// Raises the soft limit to the hard one, which needs no rights. Where that is refused the broker runs with what it
/// has.
pub(crate) fn raise_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a local of the type that the call fills, and it does not outlive the call.
    let is_known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0;
    if is_known && limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the pointer is to a local that the call only reads.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
            tracing::debug!(error = %std::io::Error::last_os_error(), "the limit of open files stays as it is");
        }
    }
}
