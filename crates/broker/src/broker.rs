//! The life cycle of the running broker.
//!
//! Start: raise the limit of open files, bind the listeners, lock and open the data directory, load namespaces, start
//! the flush task. Topics are opened when they are first used. Shutdown: stop listening, close connections, flush
//! cursors and deduplication snapshots, close the logs.

use std::{net::SocketAddr, sync::Arc};

use bitacora_origin::Guard;
use bitacora_pulsar_wire::Frame;
use prometheus_client::collector::Collector;
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};

use crate::{
    catalog::Catalog,
    config::{BrokerConfig, Reach},
    error::BrokerError,
    net,
    shared::Shared,
};

/// Most frames that wait in one direction of a local connection.
const LOCAL_FRAMES: usize = 64;

/// Time that clients have at shutdown to take what is queued for them.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(3);

/// A running broker.
#[derive(Debug)]
pub struct Broker {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Broker {
    /// Starts a broker.
    ///
    /// # Errors
    /// [`BrokerError`] if an address is in use, or the data directory is locked, damaged or full.
    pub async fn start(config: BrokerConfig) -> Result<Self, BrokerError> {
        if config.max_message_bytes == 0 {
            return Err(BrokerError::Configuration("max_message_bytes must be above 0".to_owned()));
        }
        for (address, purpose) in [(config.listen, "the binary protocol"), (config.http, "the admin REST")] {
            if let Some(address) = address.filter(|address| !address.ip().is_loopback())
                && config.reach == Reach::Loopback
            {
                return Err(BrokerError::Exposed { purpose, address });
            }
        }
        let guard = Guard::new(&config.http_names).map_err(|error| BrokerError::Configuration(error.to_string()))?;
        crate::descriptors::raise_limit();
        let listener = net::bind(config.listen, "the binary protocol").await?;
        let http = net::bind(config.http, "the admin REST").await?;
        let (catalog, instance) = Catalog::open(&config).await?;
        let address = |bound: &Option<TcpListener>| bound.as_ref().and_then(|listener| listener.local_addr().ok());
        let (listen_addr, http_addr) = (address(&listener), address(&http));
        let shared = Arc::new(Shared::new(config, catalog, instance, listen_addr, http_addr));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let mut tasks = JoinSet::new();
        if let Some(listener) = listener {
            tasks.spawn(net::accept(Arc::clone(&shared), listener, stopped.clone()));
        }
        if let Some(listener) = http {
            tasks.spawn(crate::rest::serve(Arc::clone(&shared), guard, listener, stopped.clone()));
        }
        tasks.spawn(flush(Arc::clone(&shared), stopped));
        Ok(Self { shared, tasks, stop })
    }

    /// Returns the real address of the binary protocol.
    pub fn listen_addr(&self) -> Option<SocketAddr> {
        self.shared.listen_addr
    }

    /// Returns the real address of the admin REST.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.shared.http_addr
    }

    /// Opens a connection inside the process: frames go in and come out, and the same code as for a socket serves them.
    /// Dropping the sender or the receiver ends the connection.
    pub fn local_connection(&self) -> (mpsc::Sender<Frame>, mpsc::Receiver<Frame>) {
        self.local_connector().connect()
    }

    /// Returns a connector, which opens such connections without borrowing the broker.
    pub fn local_connector(&self) -> LocalConnector {
        LocalConnector { shared: Arc::clone(&self.shared) }
    }

    /// Adds the figures of another part of the process to `/metrics`. Their names must differ from the broker's.
    pub fn also_serve(&self, figures: impl Collector) {
        self.shared.others().register_collector(Box::new(figures));
    }

    /// Shuts the broker down: closes the connections, writes cursors and deduplication snapshots, closes the logs.
    ///
    /// # Errors
    /// [`BrokerError`] if the last state cannot be written.
    pub async fn shutdown(mut self) -> Result<(), BrokerError> {
        let _ = self.stop.send(true);
        self.shared.connections.finish_all();
        if tokio::time::timeout(DRAIN, self.shared.connections.all_gone()).await.is_err() {
            self.shared.connections.end_all();
            self.shared.connections.all_gone().await;
        }
        let tasks = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, tasks).await.is_err() {
            self.tasks.shutdown().await;
        }
        self.shared.catalog.close().await
    }
}

/// Opens connections inside the process. They end with the broker.
#[derive(Debug, Clone)]
pub struct LocalConnector {
    shared: Arc<Shared>,
}

impl LocalConnector {
    /// Opens a connection as [`Broker::local_connection`] does. Must be called inside the runtime.
    pub fn connect(&self) -> (mpsc::Sender<Frame>, mpsc::Receiver<Frame>) {
        let (to_broker, from_client) = mpsc::channel(LOCAL_FRAMES);
        let (to_client, from_broker) = mpsc::channel(LOCAL_FRAMES);
        tokio::spawn(net::serve_local(Arc::clone(&self.shared), from_client, to_client));
        (to_broker, from_broker)
    }
}

async fn flush(shared: Arc<Shared>, mut stopped: tokio::sync::watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(shared.config.cursor_flush);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        if let Err(error) = shared.catalog.flush().await {
            tracing::error!(%error,
                "cannot write the cursors; messages acknowledged since the last write may come again after a restart");
        }
    }
}
