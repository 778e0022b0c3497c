//! How a client reaches its broker.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bitacora_pulsar_wire::Frame;
use serde::Deserialize;
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
#[derive(Clone, Default, PartialEq, Eq)]
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

#[derive(Deserialize)]
struct BasicParameters {
    #[serde(rename = "userId")]
    user: String,
    password: String,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method())
    }
}

impl Auth {
    /// Reads what Pulsar's own tools take as plugin and parameters: `token` (or
    /// `org.apache.pulsar.client.impl.auth.AuthenticationToken`) with `token:…`, `file:///path` or the token itself;
    /// `basic` (or `…AuthenticationBasic`) with `{"userId":"…","password":"…"}`. Without a plugin the parameters are a
    /// token's.
    ///
    /// # Errors
    /// One sentence; it never repeats the parameters.
    pub fn parse(plugin: Option<&str>, parameters: Option<&str>) -> Result<Self, String> {
        let name = plugin.map(|plugin| plugin.rsplit('.').next().unwrap_or(plugin));
        match (name, parameters) {
            (None, None) => Ok(Self::None),
            (Some(name), None) => Err(format!("the authentication {name} needs its parameters")),
            (None | Some("token" | "AuthenticationToken"), Some(text)) => {
                if let Some(path) = text.strip_prefix("file:") {
                    let path = path.strip_prefix("//").unwrap_or(path);
                    return Ok(Self::TokenFile(PathBuf::from(path)));
                }
                let token = text.strip_prefix("token:").unwrap_or(text).trim();
                if token.is_empty() { Err("the token is empty".to_owned()) } else { Ok(Self::Token(token.to_owned())) }
            }
            (Some("basic" | "AuthenticationBasic"), Some(text)) => {
                let parsed: Result<BasicParameters, _> = serde_json::from_str(text);
                let BasicParameters { user, password } = parsed.map_err(|_| {
                    "the parameters of basic authentication are written {\"userId\":\"…\",\"password\":\"…\"}"
                        .to_owned()
                })?;
                Ok(Self::Basic { user, password })
            }
            (Some(other), Some(_)) => Err(format!("the authentication {other} is not known; use token or basic")),
        }
    }

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
    /// Time limit of a connection including its handshake.
    pub connect_timeout_ms: u64,
    /// Time limit of an answer to a request, and of the attempts to open a producer or consumer.
    pub operation_timeout_ms: u64,
    /// Interval of PING; a peer that is silent for two intervals is taken for dead.
    pub keepalive_ms: u64,
    /// First waiting time before a new connection; doubles with each failure.
    pub backoff_first_ms: u64,
    /// Longest waiting time before a new connection.
    pub backoff_max_ms: u64,
    /// Name of the broker's listener whose addresses lookups should return.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_written_as_for_pulsars_tools() {
        let basic = || Auth::Basic { user: "u".into(), password: "p:w".into() };
        for (plugin, parameters, auth) in [
            (None, None, Auth::None),
            (None, Some("token:a.b.c"), Auth::Token("a.b.c".into())),
            (Some("token"), Some("a.b.c"), Auth::Token("a.b.c".into())),
            (None, Some("file:///run/token"), Auth::TokenFile("/run/token".into())),
            (
                Some("org.apache.pulsar.client.impl.auth.AuthenticationToken"),
                Some("file:/run/token"),
                Auth::TokenFile("/run/token".into()),
            ),
            (Some("basic"), Some(r#"{"userId":"u","password":"p:w"}"#), basic()),
            (
                Some("org.apache.pulsar.client.impl.auth.AuthenticationBasic"),
                Some(r#"{"userId":"u","password":"p:w"}"#),
                basic(),
            ),
        ] {
            assert_eq!(Auth::parse(plugin, parameters), Ok(auth), "{plugin:?} {parameters:?}");
        }
        for (plugin, parameters) in [
            (Some("token"), None),
            (None, Some("token:")),
            (Some("basic"), Some("u:secret")),
            (Some("tls"), Some("secret")),
        ] {
            let error = Auth::parse(plugin, parameters).err().unwrap_or_default();
            assert!(!error.is_empty() && !error.contains("secret"), "{plugin:?} {parameters:?}: {error}");
        }
    }
}
