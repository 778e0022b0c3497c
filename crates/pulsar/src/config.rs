//! How a client reaches its broker.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bitacora_pulsar_wire::Frame;
use tokio::sync::mpsc;

use crate::error::Error;

/// Both directions of a connection inside the process: frames to the broker, frames from it.
pub type LocalConnection = (mpsc::Sender<Frame>, mpsc::Receiver<Frame>);

/// Opens a connection to a broker in the same process.
pub type LocalFactory = Arc<dyn Fn() -> Result<LocalConnection, Error> + Send + Sync>;

/// Where the broker is.
#[derive(Clone)]
pub enum Endpoint {
    /// `pulsar://host:port[,host:port…]` or `pulsar+ssl://…`.
    Url(String),
    /// A broker in this process, reached without a socket.
    Local(LocalFactory),
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "Url({url:?})"),
            Self::Local(_) => f.write_str("Local"),
        }
    }
}

/// Who the client is. Never printed.
#[derive(Clone, Default)]
pub enum Auth {
    /// No credentials.
    #[default]
    None,
    /// A JSON web token.
    Token(String),
    /// A file with a token, read again at each connection and when the broker asks for a fresh one.
    TokenFile(PathBuf),
    /// User and password.
    Basic {
        /// User.
        user: String,
        /// Password.
        password: String,
    },
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method())
    }
}

impl Auth {
    /// Returns Pulsar's name of the method: `none`, `token` or `basic`.
    pub fn method(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token(_) | Self::TokenFile(_) => "token",
            Self::Basic { .. } => "basic",
        }
    }

    /// Returns the credentials as CONNECT carries them.
    pub(crate) fn data(&self) -> Result<Option<String>, Error> {
        Ok(match self {
            Self::None => None,
            Self::Token(token) => Some(token.clone()),
            Self::TokenFile(path) => {
                let token = std::fs::read_to_string(path).map_err(|source| Error::Credentials {
                    path: path.display().to_string(),
                    source: Arc::new(source),
                })?;
                Some(token.trim().to_owned())
            }
            Self::Basic { user, password } => Some(format!("{user}:{password}")),
        })
    }
}

/// Everything a client needs to know.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Where the broker is.
    pub endpoint: Endpoint,
    /// Credentials.
    pub auth: Auth,
    /// PEM file of the certification authorities to trust instead of the public ones.
    pub tls_ca_file: Option<PathBuf>,
    /// For a connection including its handshake.
    pub connect_timeout_ms: u64,
    /// For the answer to a request, and for the attempts to open a producer or consumer.
    pub operation_timeout_ms: u64,
    /// Interval of PING; a peer silent for two of them is taken for dead.
    pub keepalive_ms: u64,
    /// First waiting time before a new connection; doubles with each failure.
    pub backoff_first_ms: u64,
    /// Longest waiting time before a new connection.
    pub backoff_max_ms: u64,
    /// Name of the broker's listener whose addresses lookups shall give.
    pub listener_name: Option<String>,
}

impl ClientConfig {
    /// Creates the configuration with Pulsar's usual times.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            auth: Auth::None,
            tls_ca_file: None,
            connect_timeout_ms: 10_000,
            operation_timeout_ms: 30_000,
            keepalive_ms: 30_000,
            backoff_first_ms: 100,
            backoff_max_ms: 30_000,
            listener_name: None,
        }
    }

    /// Creates the configuration for a service URL.
    pub fn url(url: impl Into<String>) -> Self {
        Self::new(Endpoint::Url(url.into()))
    }
}
