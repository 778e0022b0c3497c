//! What connections, the admin REST and background work share.
//!
//! `broker.rs` creates it. The parts below (catalog, topics, storage) do not know it.

use std::{
    net::SocketAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use prometheus_client::registry::Registry;

use crate::{catalog::Catalog, config::BrokerConfig, peer::Connections};

/// What all parts of the broker share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Settings.
    pub config: BrokerConfig,
    /// Tenants, namespaces and topics.
    pub catalog: Catalog,
    /// Open connections.
    pub connections: Connections,
    /// Real address of the binary protocol, known after binding.
    pub listen_addr: Option<SocketAddr>,
    /// Real address of the admin REST.
    pub http_addr: Option<SocketAddr>,
    producer_count: AtomicU64,
    instance: u64,
    /// Figures of other parts of the process.
    others: Mutex<Registry>,
}

impl Shared {
    /// Creates what the parts of a broker share; `instance` is the number of this start, `listen_addr` and `http_addr`
    /// are the real addresses of the listeners.
    pub(crate) fn new(
        config: BrokerConfig,
        catalog: Catalog,
        instance: u64,
        listen_addr: Option<SocketAddr>,
        http_addr: Option<SocketAddr>,
    ) -> Self {
        Self {
            config,
            catalog,
            connections: Connections::default(),
            listen_addr,
            http_addr,
            producer_count: AtomicU64::new(0),
            instance,
            others: Mutex::default(),
        }
    }

    /// Returns the URL that lookups name.
    pub(crate) fn service_url(&self) -> String {
        let listen = self.listen_addr.map(|address| format!("pulsar://{address}"));
        self.config.advertised_url.clone().or(listen).unwrap_or_else(|| "pulsar://localhost:6650".to_owned())
    }

    /// Returns the URL of the admin REST.
    pub(crate) fn http_url(&self) -> String {
        self.http_addr.map(|address| format!("http://{address}")).unwrap_or_default()
    }

    /// Locks the figures of other parts of the process, which `/metrics` shows besides the broker's.
    pub(crate) fn others(&self) -> MutexGuard<'_, Registry> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a producer name that no other producer of this data directory has or had.
    pub(crate) fn generate_producer_name(&self) -> String {
        let count = self.producer_count.fetch_add(1, Ordering::Relaxed);
        format!("{}-{}-{}", self.config.cluster, self.instance, count)
    }
}
