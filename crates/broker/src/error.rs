//! The errors of start, configuration and shutdown.
//!
//! Clients never see these errors. They get `ServerError` codes with one sentence (see [`crate::session`]).

use std::{net::SocketAddr, path::PathBuf};

/// Why the broker cannot start or stop cleanly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// A listener could not be bound.
    #[error(
        "cannot listen on {address} for {purpose}: {cause}; choose another address or end the program that holds it"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the listener is for.
        purpose: &'static str,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// Other machines could reach a listener, and the configuration does not allow that.
    #[error(
        "{address} for {purpose} can be reached from other machines, and the broker has no authentication and no TLS; \
        listen on 127.0.0.1, or allow it (--allow-remote, broker.allow_remote = true) behind a firewall or a proxy"
    )]
    Exposed {
        /// What the listener is for.
        purpose: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// The data directory or a file in it cannot be used.
    #[error("{reason} (data directory {})", path.display())]
    Storage {
        /// The data directory.
        path: PathBuf,
        /// One sentence with file and remedy.
        reason: String,
    },
    /// The configuration contradicts itself.
    #[error("invalid broker configuration: {0}")]
    Configuration(String),
}
