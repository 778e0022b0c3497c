//! Servers as child processes, generators and golden comparison for the tests of the other crates.
//!
//! Constraints: no container daemon. Every server has its own data folder and free loopback ports, and ends with the
//! test, even if the test process is killed. All of this is only for tests: a helper that cannot do its work panics
//! with a sentence, so that the test fails at that place.
//!
//! Where to look: [`Mysql`], [`Mariadb`] and [`Pulsar`] are real servers, [`BitacoraProcess`] is the built binary,
//! [`load`] writes a known load, [`delivery`] checks what a consumer got of it, [`TopicReader`] shows what a broker has
//! stored, [`Forwarder`] is an address that moves to another server, [`allocations`] counts allocations for tests that
//! allow none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod allocations;
mod bitacora;
pub mod delivery;
mod forwarder;
pub mod load;
pub mod process;
pub mod recorded_log;
mod server;
mod topic_reader;
mod wait;

pub use bitacora::BitacoraProcess;
pub use forwarder::Forwarder;
pub use server::{DatabaseServer, Mariadb, MariadbOptions, Mysql, MysqlOptions, Pulsar, PulsarOptions};
pub use topic_reader::{StoredMessage, TopicReader};
pub use wait::wait_until;

/// Returns a free loopback port. Another process may take it before the caller binds it, so the servers here try again.
pub fn free_port() -> u16 {
    // The range is below the one from which the system takes ports for outgoing connections. Otherwise a connection
    // could take the port of a killed server before the server comes back.
    (0..1_000)
        .map(|_| rand::Rng::gen_range(&mut rand::thread_rng(), 12_000..32_000))
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a loopback port can be bound")
}

/// Returns the root folder of the project, where `tools/` and `tests/` are.
pub fn project_root() -> std::path::PathBuf {
    let mut folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.pop();
    folder.pop();
    folder
}
