//! Options for the server and the connection to it.

use bitacora_change::Connector;
use bitacora_source::{PublicKeyRetrieval, TlsMode};

use super::spec::{Choice, Effect, OptionSpec};

const OWN_CLIENT: &str = "our own client reads the binlog, not a Java driver";
const NO_EXTRA_READERS: &str = "one connection reads the binlog";
const OWN_KEEP_ALIVE: &str = "a silent connection is always noticed";
const RUNNER: &str = "there is one runner for each source";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "connector.class",
        Effect::Choice(&[
            Choice::new("io.debezium.connector.mysql.MySqlConnector", |draft| {
                draft.source.connector = Connector::Mysql;
            })
            .also(&["mysql"]),
            Choice::new("io.debezium.connector.mariadb.MariaDbConnector", |draft| {
                draft.source.connector = Connector::Mariadb;
            })
            .also(&["mariadb"]),
        ]),
        "Connector whose events are written; both read MySQL and MariaDB servers. In our own file: `mysql` or \
        `mariadb`.",
    )
    .toml(&["connector"])
    .default("io.debezium.connector.mysql.MySqlConnector"),
    OptionSpec::new(
        "database.hostname",
        Effect::Text(|draft, text| {
            draft.source.server.host = text;
            Ok(())
        }),
        "Host name or address of the server.",
    )
    .toml(&["server.host"])
    .required(),
    OptionSpec::new(
        "database.port",
        Effect::Integer {
            min: 1,
            max: u16::MAX as u64,
            set: |draft, number| draft.source.server.port = u16::try_from(number).unwrap_or(u16::MAX),
        },
        "Port of the server.",
    )
    .toml(&["server.port"])
    .default("3306"),
    OptionSpec::new(
        "database.user",
        Effect::Text(|draft, text| {
            draft.source.server.user = text;
            Ok(())
        }),
        "Account.",
    )
    .toml(&["server.user"])
    .required(),
    OptionSpec::new(
        "database.password",
        Effect::Secret(|draft, secret| draft.source.server.password = secret),
        "Password of the account. `${env:NAME}` and `${file:/path}` keep it out of the file.",
    )
    .toml(&["server.password"])
    .default(""),
    OptionSpec::new(
        "database.server.id",
        Effect::Integer {
            min: 1,
            max: u32::MAX as u64,
            set: |draft, number| draft.server_id = u32::try_from(number).ok(),
        },
        "Replica id under which the binlog is read; unique among the server's replicas. Without it, one is derived \
        from the names of source and prefix.",
    )
    .toml(&["server.id"]),
    OptionSpec::new(
        "connect.timeout.ms",
        Effect::Integer {
            min: 1,
            max: 86_400_000,
            set: |draft, number| draft.source.server.connect_timeout_ms = number,
        },
        "Limit for connecting, in milliseconds.",
    )
    .toml(&["server.connect_timeout_ms"])
    .default("30000"),
    OptionSpec::new(
        "connect.keep.alive.interval.ms",
        Effect::Integer {
            min: 100,
            max: 86_400_000,
            set: |draft, number| draft.source.keep_alive_interval_ms = number,
        },
        "Silence after which the binlog connection counts as dead, in milliseconds; the server is asked for a \
        heartbeat at 0.8 of it.",
    )
    .toml(&["server.keep_alive_interval_ms"])
    .default("60000"),
    OptionSpec::new(
        "database.query.timeout.ms",
        Effect::Integer { min: 1, max: 86_400_000, set: |draft, number| draft.source.server.query_timeout_ms = number },
        "Limit for the answer to one statement, and for a pause between the rows of a snapshot, in milliseconds; the \
        binlog has a limit of its own.",
    )
    .toml(&["server.query_timeout_ms"])
    .default("600000"),
    OptionSpec::refused(
        "database.initial.statements",
        &[""],
        "statements on the SQL session could change what the snapshot reads",
    )
    .aliases(&["database.initial.statement"]),
    OptionSpec::unused("name", "the source is named at the top of the file"),
    OptionSpec::unused("task.class", RUNNER),
    OptionSpec::unused("tasks.max", RUNNER),
    OptionSpec::unused("database.server.id.offset", NO_EXTRA_READERS),
    OptionSpec::unused("connect.keep.alive", OWN_KEEP_ALIVE),
    OptionSpec::unused("use.nongraceful.disconnect", OWN_KEEP_ALIVE),
    OptionSpec::unused("binlog.net.write.timeout", OWN_KEEP_ALIVE),
    OptionSpec::unused("binlog.net.read.timeout", OWN_KEEP_ALIVE),
    OptionSpec::unused("connection.validation.timeout.ms", "connect.timeout.ms is the only limit for connecting"),
    OptionSpec::unused("executor.shutdown.timeout.ms", "shutdown drains what is under way"),
    OptionSpec::unused("database.jdbc.driver", OWN_CLIENT),
    OptionSpec::unused("database.protocol", OWN_CLIENT),
    OptionSpec::unused("driver.*", OWN_CLIENT),
    OptionSpec::unused("database.serverTimezone", OWN_CLIENT),
    OptionSpec::unused("database.connectionTimeZone", OWN_CLIENT),
    OptionSpec::unused("database.characterEncoding", OWN_CLIENT),
    OptionSpec::unused("database.useUnicode", OWN_CLIENT),
    OptionSpec::unused("database.zeroDateTimeBehavior", OWN_CLIENT),
    OptionSpec::unused("database.autoReconnect", "a broken connection is always opened again"),
    OptionSpec::unused("custom.sanitize.pattern", "secrets never appear in logs"),
];

const JAVA_STORE: &str = "Java key stores are not read; export to PEM and name the files in database.ssl.ca, \
    database.ssl.cert, database.ssl.key";
const USE_SSL_MODE: &str = "TLS is set by database.ssl.mode";

pub(super) const TLS: &[OptionSpec] = &[
    OptionSpec::new(
        "database.ssl.mode",
        Effect::Choice(&[
            Choice::new("disabled", |draft| draft.source.server.tls.mode = TlsMode::Disabled).also(&["disable"]),
            Choice::new("preferred", |draft| draft.source.server.tls.mode = TlsMode::Preferred),
            Choice::new("required", |draft| draft.source.server.tls.mode = TlsMode::Required).also(&["trust"]),
            Choice::new("verify_ca", |draft| draft.source.server.tls.mode = TlsMode::VerifyCa).also(&["verify-ca"]),
            Choice::new("verify_identity", |draft| draft.source.server.tls.mode = TlsMode::VerifyIdentity).also(&[
                "verify-identity",
                "verify-full",
                "verify_full",
            ]),
        ]),
        "TLS of the connection: never; if the server offers it; always; always, with a checked certificate; always, \
        with a checked certificate for this host. Under `preferred` with an unchecked certificate, the password \
        itself is sent only to a loopback address.",
    )
    .toml(&["server.tls.mode"])
    .default("preferred"),
    OptionSpec::new(
        "database.ssl.ca",
        Effect::Path(|draft, path| draft.source.server.tls.ca_file = Some(path)),
        "PEM file of the authorities to trust (our own option). With it the certificate is always checked, as with \
        `verify_ca`. Without it, a mode that checks trusts the web's well-known authorities.",
    )
    .toml(&["server.tls.ca"]),
    OptionSpec::new(
        "database.serverRSAPublicKeyFile",
        Effect::Path(|draft, path| draft.source.server.tls.server_public_key_file = Some(path)),
        "PEM file of the server's RSA key (`public_key.pem` in MySQL's data folder): without TLS, the password for \
        `caching_sha2_password` and `sha256_password` is sent only encrypted with this key.",
    )
    .aliases(&["driver.serverRSAPublicKeyFile"])
    .toml(&["server.tls.server_public_key"]),
    OptionSpec::new(
        "database.allowPublicKeyRetrieval",
        Effect::Boolean(|draft, allow| {
            draft.source.server.tls.public_key_retrieval =
                if allow { PublicKeyRetrieval::Allowed } else { PublicKeyRetrieval::Refused };
        }),
        "Whether the password may be encrypted with a key that nobody verified: the key that a server without TLS \
        sends, or that of an unchecked certificate. Whoever answers in the server's place then learns the password.",
    )
    .aliases(&["driver.allowPublicKeyRetrieval"])
    .toml(&["server.tls.allow_public_key_retrieval"])
    .default("false"),
    OptionSpec::new(
        "database.ssl.cert",
        Effect::Path(|draft, path| draft.source.server.tls.certificate_file = Some(path)),
        "PEM file of the client certificate (our own option).",
    )
    .toml(&["server.tls.cert"]),
    OptionSpec::new(
        "database.ssl.key",
        Effect::Path(|draft, path| draft.source.server.tls.key_file = Some(path)),
        "PEM file of the client certificate's key (our own option).",
    )
    .toml(&["server.tls.key"]),
    OptionSpec::refused("database.ssl.keystore", &[""], JAVA_STORE),
    OptionSpec::refused("database.ssl.keystore.password", &[""], JAVA_STORE),
    OptionSpec::refused("database.ssl.truststore", &[""], JAVA_STORE),
    OptionSpec::refused("database.ssl.truststore.password", &[""], JAVA_STORE),
    OptionSpec::refused("database.useSSL", &["false"], USE_SSL_MODE).aliases(&["driver.useSSL"]),
    OptionSpec::refused("database.requireSSL", &["false"], USE_SSL_MODE).aliases(&["driver.requireSSL"]),
    OptionSpec::refused("database.verifyServerCertificate", &["false"], USE_SSL_MODE)
        .aliases(&["driver.verifyServerCertificate"]),
    OptionSpec::refused("database.sslMode", &["DISABLED", "PREFERRED"], USE_SSL_MODE).aliases(&["driver.sslMode"]),
    OptionSpec::refused("driver.trustCertificateKeyStoreUrl", &[""], JAVA_STORE),
    OptionSpec::refused("driver.serverSslCert", &[""], "name the file in database.ssl.ca"),
];

/// Checks an address to listen on; port 0 lets the system choose.
pub(super) fn host_and_port(text: String) -> Result<String, String> {
    let valid = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if valid { Ok(text) } else { Err(format!("{text} is not an address; write host:port, as 127.0.0.1:6650")) }
}
