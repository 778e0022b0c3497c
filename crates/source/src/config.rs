//! How to reach a server: address, account, TLS and time limits.
//!
//! Names follow the clients of both servers, so that the values of Debezium's `database.*` options fit unchanged.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::Error;

/// A password that never appears in a log, an error or a debug print.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// Returns the password in clear; only the login may call this.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret::new(text)
    }
}

/// Whether a connection needs TLS and which certificate it accepts; the values of the clients' `--ssl-mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// No TLS.
    Disabled,
    /// TLS if the server offers it, with any certificate. A password in clear goes only to a loopback address.
    #[default]
    Preferred,
    /// TLS or no connection, with any certificate.
    Required,
    /// TLS with a certificate signed by a trusted authority, whatever name it carries.
    VerifyCa,
    /// TLS with a certificate signed by a trusted authority for the configured host name.
    VerifyIdentity,
}

impl FromStr for TlsMode {
    type Err = String;

    /// Reads the values of MySQL (`verify_ca`) and of MariaDB (`verify-full`, `trust`). The error lists the valid
    /// values.
    fn from_str(text: &str) -> Result<TlsMode, String> {
        match text.to_ascii_lowercase().replace('-', "_").as_str() {
            "disabled" | "disable" => Ok(TlsMode::Disabled),
            "preferred" => Ok(TlsMode::Preferred),
            "required" | "require" | "trust" => Ok(TlsMode::Required),
            "verify_ca" => Ok(TlsMode::VerifyCa),
            "verify_identity" | "verify_full" => Ok(TlsMode::VerifyIdentity),
            _ => Err(format!(
                "`{text}` is not a TLS mode: use disabled, preferred, required, verify_ca or verify_identity."
            )),
        }
    }
}

/// Whether the password may be encrypted with a key that nobody verified (Connector/J's `allowPublicKeyRetrieval`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublicKeyRetrieval {
    /// The password is sent only under a verified certificate or a pinned key.
    #[default]
    Refused,
    /// The password is sent under whatever key the other end shows.
    Allowed,
}

/// TLS mode and PEM files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether the connection needs TLS and which certificate it accepts.
    pub mode: TlsMode,
    /// Certificates of the trusted authorities; a file raises the mode to `verify_ca` at least. Without a file, a mode
    /// that verifies trusts the public authorities.
    pub ca_file: Option<PathBuf>,
    /// The server's RSA public key (MySQL's `public_key.pem`), for a login without TLS.
    pub server_public_key_file: Option<PathBuf>,
    /// Whether a key that nobody verified is accepted.
    pub public_key_retrieval: PublicKeyRetrieval,
    /// Certificate chain of this client, for accounts that require a client certificate.
    pub certificate_file: Option<PathBuf>,
    /// Private key that belongs to `certificate_file`.
    pub key_file: Option<PathBuf>,
}

impl Tls {
    /// Returns the mode that applies. With a CA file the certificate is verified even if the mode alone would not
    /// require it.
    ///
    /// # Errors
    /// [`Error::CaWithoutTls`] if there is a CA file and the mode never uses TLS.
    pub fn effective_mode(&self) -> Result<TlsMode, Error> {
        match (self.mode, &self.ca_file) {
            (TlsMode::Disabled, Some(path)) => Err(Error::CaWithoutTls { path: path.clone() }),
            (TlsMode::Preferred | TlsMode::Required, Some(_)) => Ok(TlsMode::VerifyCa),
            (mode, _) => Ok(mode),
        }
    }
}

/// One server and the account used on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Host name or address; `verify_identity` compares the certificate with it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Account name.
    pub user: String,
    /// Password of the account.
    pub password: Secret,
    /// TLS mode and files.
    pub tls: Tls,
    /// Limit for the TCP connection, the TLS handshake and the login together.
    pub connect_timeout_ms: u64,
    /// Limit for the answer to one ordinary statement, and for each pause between rows of a snapshot. The replication
    /// stream has a limit of its own.
    pub query_timeout_ms: u64,
    /// Largest packet that is accepted, with its parts joined. An event of the stream may have up to 1 GiB.
    pub max_packet_bytes: usize,
}

impl ServerConfig {
    /// Creates the configuration of a server with the defaults of Debezium: 30 s to connect, ten minutes for a
    /// statement, TLS preferred.
    pub fn new(
        host: impl Into<String>,
        port: u16,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> ServerConfig {
        ServerConfig {
            host: host.into(),
            port,
            user: user.into(),
            password: Secret::new(password),
            tls: Tls::default(),
            connect_timeout_ms: 30_000,
            query_timeout_ms: 600_000,
            max_packet_bytes: (1 << 30) + (64 << 10),
        }
    }

    /// Returns `host:port` as messages print it.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let config = ServerConfig::new("db", 3306, "app", "s3cret");
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn tls_modes_of_both_servers_are_read() {
        for (text, mode) in [
            ("verify_ca", TlsMode::VerifyCa),
            ("VERIFY-CA", TlsMode::VerifyCa),
            ("verify-full", TlsMode::VerifyIdentity),
            ("trust", TlsMode::Required),
            ("disable", TlsMode::Disabled),
        ] {
            assert_eq!(text.parse::<TlsMode>().unwrap(), mode);
        }
        assert!("sometimes".parse::<TlsMode>().unwrap_err().contains("verify_identity"));
    }
}
