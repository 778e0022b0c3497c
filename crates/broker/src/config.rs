//! What an operator may set.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::{schema::Strategy, subscription::Limits};

/// Whose messages are deduplicated where a namespace's policy does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deduplication {
    /// Those of producers that gave their own name. A generated name is new at every start, so nothing of it could
    /// ever be a repeat from before; a name that the application chose is its promise to count upwards.
    #[default]
    NamedProducers,
    /// Nobody's, as in a Pulsar cluster's default.
    Off,
}

/// From where a broker may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// From this machine only: an address that others can reach is refused.
    #[default]
    Loopback,
    /// From anywhere that the network lets through.
    Network,
}

/// Settings of one broker.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Holds everything that survives a restart; created if missing, locked while the broker runs.
    pub data_dir: PathBuf,
    /// Address of the binary protocol; `None` = in-process connections only.
    pub listen: Option<SocketAddr>,
    /// Address of the admin REST; `None` = no REST.
    pub http: Option<SocketAddr>,
    /// Names by which the admin REST is meant to be asked, beside `localhost` and addresses; with a port or for all
    /// ports. A request under another name, or of a web page of another name, is refused.
    pub http_names: Vec<String>,
    /// Whether other machines may reach this broker, which asks nobody who they are and encrypts nothing.
    pub reach: Reach,
    /// URL that lookups name. `None` = derived from the client's own connection; clients are told to stay on the URL
    /// that they were given (`proxy_through_service_url`) either way.
    pub advertised_url: Option<String>,
    /// Name of the cluster in REST answers and generated producer names.
    pub cluster: String,
    /// Largest message that clients may send.
    pub max_message_bytes: u32,
    /// A peer that is silent this long is pinged, and dropped after twice the time.
    pub keepalive: Duration,
    /// Bytes of messages that may wait to be written to one connection.
    pub outbound_bytes: usize,
    /// Bytes that one connection may have sent and not seen receipted.
    pub inflight_bytes: usize,
    /// Whose messages are deduplicated by default.
    pub deduplication: Deduplication,
    /// How a schema may change by default.
    pub schema_compatibility: Strategy,
    /// Caps on unacknowledged messages.
    pub unacked: Limits,
    /// How often changed cursors are written.
    pub cursor_flush: Duration,
}

impl BrokerConfig {
    /// Returns the defaults for a data directory, with the usual loopback addresses 6650 and 8080.
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
