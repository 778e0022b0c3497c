//! The error of this crate: what happened, where, and what the operator can do.
//!
//! Every message is one sentence. [`Error::remedy`] adds the next step, and [`Error::class`] tells the caller whether
//! another try can help. Server errors keep their number and SQLSTATE.

mod class;
mod server;

use std::path::PathBuf;

pub use class::ErrorClass;

/// Everything that can go wrong between this process and a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The TCP connection was not established.
    #[error("The server at {address} cannot be reached: {cause}")]
    Connect {
        /// `host:port`.
        address: String,
        /// Cause given by the operating system.
        cause: std::io::Error,
    },
    /// A time limit passed.
    #[error("{what} took longer than {limit_ms} ms on {address}")]
    Timeout {
        /// `host:port`.
        address: String,
        /// What did not finish in time; the beginning of the sentence.
        what: &'static str,
        /// The limit.
        limit_ms: u64,
    },
    /// An established connection broke.
    #[error("The connection to {address} broke while {what}: {cause}")]
    Lost {
        /// `host:port`.
        address: String,
        /// What this process was doing, such as `reading rows`.
        what: &'static str,
        /// Cause given by the operating system or by TLS.
        cause: std::io::Error,
    },
    /// The TLS handshake failed, most often at the certificate.
    #[error("TLS with {address} failed: {reason}")]
    Tls {
        /// `host:port`.
        address: String,
        /// Cause in the words of the TLS library.
        reason: String,
    },
    /// TLS is required and the server does not offer it.
    #[error("The server at {address} offers no TLS, but the TLS mode or the named CA requires it")]
    TlsNotOffered {
        /// `host:port`.
        address: String,
    },
    /// A certificate or key file is unreadable or empty.
    #[error("The file {} cannot be used for TLS: {reason}", path.display())]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A CA file is named, but the TLS mode never checks a certificate.
    #[error("The CA file {} is named, but the TLS mode `disabled` checks no certificate", path.display())]
    CaWithoutTls {
        /// The file.
        path: PathBuf,
    },
    /// The login needs the password itself, and nothing proves that the key it would be encrypted with is the server's.
    #[error(
        "The password was not sent to {address}: its {plugin} login asks for the password itself, and {}",
        reason.sentence()
    )]
    UntrustedKey {
        /// `host:port`.
        address: String,
        /// Plugin of the account.
        plugin: &'static str,
        /// Why the key is not trusted.
        reason: NoTrust,
    },
    /// The server wants an authentication plugin that this client does not speak.
    #[error("The account needs the authentication plugin {plugin}, which is not supported")]
    AuthenticationPlugin {
        /// Name of the plugin as the server gave it.
        plugin: String,
    },
    /// The server answered with an error packet.
    #[error("The server refused {during}: {message} (error {code}, SQLSTATE {state})")]
    Server {
        /// Number of the error.
        code: u16,
        /// SQLSTATE; `HY000` if the server gave none.
        state: String,
        /// The server's own text.
        message: String,
        /// What the server refused: a statement, the login, a stream.
        during: String,
    },
    /// Bytes from the server break the protocol.
    #[error("The server at {address} sent a malformed {what}")]
    Malformed {
        /// `host:port`.
        address: String,
        /// The structure that could not be read.
        what: &'static str,
    },
    /// A packet is larger than the configured limit.
    #[error("The server sent a packet of more than {limit_bytes} bytes")]
    PacketTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// Another server or replica uses the replica id of this process.
    #[error("Server id {server_id} is already used by {other}")]
    ServerIdInUse {
        /// The id.
        server_id: u32,
        /// Who uses the id.
        other: String,
    },
    /// A position cannot be used with this server.
    #[error("The position cannot be used: {reason}")]
    Position {
        /// Why.
        reason: String,
    },
    /// A regular expression of a filter list does not compile.
    #[error("`{pattern}` in {list} is not a valid regular expression: {reason}")]
    Filter {
        /// The expression.
        pattern: String,
        /// Name of the option.
        list: &'static str,
        /// Why it does not compile.
        reason: String,
    },
    /// The snapshot cannot be taken exactly.
    #[error("The snapshot cannot be taken: {reason}")]
    Snapshot {
        /// Why.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The snapshot could not begin or cannot go on, for a cause that is likely to pass.
    #[error("The snapshot cannot go on: {reason}")]
    SnapshotAgain {
        /// Why.
        reason: String,
        /// What to do if it happens again and again.
        remedy: String,
    },
    /// A value of a snapshot row cannot be turned into its binlog form.
    #[error("Column `{column}` of `{database}`.`{table}` has a value that cannot be converted: {reason}")]
    Value {
        /// Database of the table.
        database: String,
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What is wrong.
        reason: String,
    },
}

/// Why a key is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTrust {
    /// The connection is not encrypted, the server's RSA key is not configured, and a key that nobody verified is not
    /// allowed.
    PublicKey,
    /// The connection is encrypted, but nobody checked the certificate.
    Certificate,
}

impl NoTrust {
    fn sentence(self) -> &'static str {
        match self {
            NoTrust::PublicKey => "the connection has neither TLS nor a key that is known to be the server's",
            NoTrust::Certificate => "the TLS certificate was not checked, so it may be anybody's",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            NoTrust::PublicKey => {
                "Enable TLS on the server, or name its key (tls.server_public_key or database.serverRSAPublicKeyFile = \
                …/public_key.pem of the server's data folder), or set tls.allow_public_key_retrieval = true \
                (database.allowPublicKeyRetrieval) if nobody can intercept the connection"
            }
            NoTrust::Certificate => {
                "Name the CA of the server's certificate (tls.ca or database.ssl.ca = …/ca.pem of the server's data \
                folder, unless you made your own), or set tls.mode = \"required\" (database.ssl.mode) if nobody can \
                intercept the connection"
            }
        }
    }
}

impl Error {
    /// Returns what the caller does about the error.
    pub fn class(&self) -> ErrorClass {
        match self {
            Error::Connect { .. } | Error::Timeout { .. } | Error::Lost { .. } | Error::SnapshotAgain { .. } => {
                ErrorClass::Retry
            }
            Error::Server { code, message, .. } => server::class(*code, message),
            Error::Malformed { .. } | Error::PacketTooLarge { .. } | Error::Value { .. } => ErrorClass::Stop,
            Error::Tls { .. }
            | Error::TlsNotOffered { .. }
            | Error::TlsFile { .. }
            | Error::CaWithoutTls { .. }
            | Error::UntrustedKey { .. }
            | Error::AuthenticationPlugin { .. }
            | Error::ServerIdInUse { .. }
            | Error::Position { .. }
            | Error::Filter { .. }
            | Error::Snapshot { .. } => ErrorClass::FixConfiguration,
        }
    }

    /// Returns the number of a server error; `None` for any other error.
    pub fn server_code(&self) -> Option<u16> {
        match self {
            Error::Server { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Returns whether the server refuses a statement until somebody changes something: the account may not send it, or
    /// the server does not know it. An error that may pass is not a refusal.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Error::Server { .. }) && self.class() != ErrorClass::Retry
    }

    /// Returns whether the server says that a table, or its database, does not exist.
    pub fn is_table_gone(&self) -> bool {
        /// `ER_BAD_DB_ERROR`, `ER_NO_SUCH_TABLE`, `ER_NO_SUCH_DB`.
        const GONE: [u16; 3] = [1049, 1146, 3503];
        self.server_code().is_some_and(|code| GONE.contains(&code))
    }

    /// Returns whether the server refuses a position: it has purged the events after it, or lacks transactions before
    /// it.
    pub fn refuses_position(&self) -> bool {
        const REFUSALS: [u16; 7] = [1236, 1220, 13117, 1789, 1945, 1955, 1956];
        self.class() == ErrorClass::Stop && self.server_code().is_some_and(|code| REFUSALS.contains(&code))
    }

    /// Returns one sentence that says what the operator can do.
    pub fn remedy(&self) -> String {
        match self {
            Error::Connect { cause, .. } => match cause.kind() {
                std::io::ErrorKind::ConnectionRefused => {
                    "Start the server, or correct host and port; nothing listens there".into()
                }
                _ => "Check host name, port, firewall and the server's bind-address".into(),
            },
            Error::Timeout { .. } => "Check the network and the server's load, or raise the limit".into(),
            Error::Lost { .. } => "Look into the server's error log; the source connects again".into(),
            Error::Tls { .. } => {
                "Name the CA file of the authority that signed the certificate, or choose a weaker TLS mode on purpose"
                    .into()
            }
            Error::TlsNotOffered { .. } => {
                "Enable TLS on the server (ssl_cert, ssl_key), or set the TLS mode to preferred or disabled and name \
                no CA"
                    .into()
            }
            Error::CaWithoutTls { .. } => "Set the TLS mode to verify_ca, or remove the CA file".into(),
            Error::UntrustedKey { reason, .. } => reason.remedy().into(),
            Error::TlsFile { .. } => "Give a readable PEM file with the expected content".into(),
            Error::AuthenticationPlugin { .. } => {
                "Use an account with caching_sha2_password (MySQL) or mysql_native_password (MariaDB)".into()
            }
            Error::Server { code, message, .. } => server::remedy(*code, message),
            Error::Malformed { .. } => {
                "Check that host and port lead to a MySQL or MariaDB server, not to a proxy of another kind".into()
            }
            Error::PacketTooLarge { .. } => "Raise the packet limit, or make the rows smaller".into(),
            Error::ServerIdInUse { .. } => {
                "Set database.server.id to a number that no other server or replica of this source uses".into()
            }
            Error::Position { .. } => "Start again with a new snapshot, or from a position of this server".into(),
            Error::Filter { .. } => {
                "Correct the expression; it must match the whole name (database or database.table)".into()
            }
            Error::Snapshot { remedy, .. } | Error::SnapshotAgain { remedy, .. } => remedy.clone(),
            Error::Value { .. } => "Correct the value on the server, or exclude the table".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16, message: &str) -> Error {
        Error::Server { code, state: "HY000".into(), message: message.into(), during: "the dump".into() }
    }

    #[test]
    fn purged_binlog_stops_and_names_the_gap() {
        let error = server(
            1236,
            "Cannot replicate because the source purged required binary logs. The missing transactions are \
            '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5'.",
        );
        assert_eq!(error.class(), ErrorClass::Stop);
        assert!(error.remedy().contains("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"), "{}", error.remedy());
    }

    #[test]
    fn a_missing_privilege_is_named() {
        let error = server(
            1227,
            "Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s) for this operation",
        );
        assert_eq!(error.class(), ErrorClass::FixConfiguration);
        assert_eq!(error.remedy(), "Grant REPLICATION SLAVE ON *.* to the account");
    }

    #[test]
    fn a_second_replica_with_the_same_id_is_a_matter_of_configuration() {
        let mysql =
            server(1236, "A replica with the same server_uuid/server_id as this replica has connected to the source");
        let mariadb = server(4052, "A slave with the same server_uuid/server_id is already connected");
        for error in [mysql, mariadb] {
            assert_eq!(error.class(), ErrorClass::FixConfiguration);
            assert!(error.remedy().contains("database.server.id"), "{}", error.remedy());
        }
    }

    #[test]
    fn a_shutdown_is_tried_again() {
        assert_eq!(server(1053, "Server shutdown in progress").class(), ErrorClass::Retry);
    }

    /// A shutdown of the server, or an administrator who killed the session, was once taken for missing privileges: the
    /// position was not checked, and a snapshot did not see undecided XA transactions.
    #[test]
    fn what_passes_is_not_taken_for_a_refusal() {
        let refusals = [
            (1227, "Access denied"),
            (1142, "SELECT command denied"),
            (1064, "syntax"),
            (1401, "XAER_RMERR"),
            (1772, "Malformed GTID set"),
        ];
        assert!(refusals.into_iter().all(|(code, message)| server(code, message).is_refusal()));
        let passing =
            [(1053, "shutdown"), (1317, "interrupted"), (3024, "maximum statement execution time"), (1040, "Too many")];
        assert!(!passing.into_iter().any(|(code, message)| server(code, message).is_refusal()));
        let lost = Error::Timeout { address: "a:1".into(), what: "x", limit_ms: 1 };
        assert!(!lost.is_refusal());
    }
}
