//! The settings of a broker.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::{schema::Strategy, subscription::Limits};

/// Which producers' messages are deduplicated if the namespace has no policy for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deduplication {
    /// The messages of producers whose name the application chose, which promises that their sequence ids rise. A
    /// generated name is new at every start, so no message of it can be a repetition from before.
    #[default]
    NamedProducers,
    /// No messages, which is the default of a Pulsar cluster.
    Off,
}

/// From where a broker may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Only from this machine. An address that other machines can reach is refused.
    #[default]
    Loopback,
    /// From every machine that the network allows.
    Network,
}

/// Settings of one broker.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Folder of everything that survives a restart. It is created if missing, and locked while the broker runs.
    pub data_dir: PathBuf,
    /// Address of the binary protocol; `None` = in-process connections only.
    pub listen: Option<SocketAddr>,
    /// Address of the admin REST; `None` = no REST.
    pub http: Option<SocketAddr>,
    /// Host names under which the admin REST accepts requests, besides `localhost` and addresses; each with a port, or
    /// for all ports. A request under another name, or from a web page of another host, is refused.
    pub http_names: Vec<String>,
    /// Whether other machines may reach this broker, which has no authentication and no encryption.
    pub reach: Reach,
    /// URL in the answers to lookups; `None` = the address that the broker listens on. Either way the answers tell
    /// clients to stay on the URL that they were given (`proxy_through_service_url`).
    pub advertised_url: Option<String>,
    /// Name of the cluster in REST answers and generated producer names.
    pub cluster: String,
    /// Largest message that clients may send.
    pub max_message_bytes: u32,
    /// Silence after which a peer is pinged. After twice the time its connection is closed.
    pub keepalive: Duration,
    /// Most bytes of messages that wait to be written to one connection.
    pub outbound_bytes: usize,
    /// Most bytes that one connection may have sent without having received the receipts.
    pub inflight_bytes: usize,
    /// Which producers' messages are deduplicated by default.
    pub deduplication: Deduplication,
    /// How a schema may change by default.
    pub schema_compatibility: Strategy,
    /// Limits on unacknowledged messages.
    pub unacked: Limits,
    /// How often changed cursors are written.
    pub cursor_flush: Duration,
}

impl BrokerConfig {
    /// Creates the default settings for a data directory, with the ports 6650 and 8080 on the loopback address.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 6650))),
            http: Some(SocketAddr::from(([127, 0, 0, 1], 8080))),
            http_names: Vec::new(),
            reach: Reach::default(),
            advertised_url: None,
            cluster: "standalone".to_owned(),
            max_message_bytes: bitacora_pulsar_wire::DEFAULT_MAX_MESSAGE_BYTES,
            keepalive: Duration::from_secs(30),
            outbound_bytes: 8 * 1024 * 1024,
            inflight_bytes: 32 * 1024 * 1024,
            deduplication: Deduplication::default(),
            schema_compatibility: Strategy::default(),
            unacked: Limits::default(),
            cursor_flush: Duration::from_secs(1),
        }
    }
}
