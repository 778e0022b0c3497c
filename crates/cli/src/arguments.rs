//! The command line. Commands and flags have the names of Pulsar's own tools, if those have them.

use std::net::SocketAddr;
use std::path::PathBuf;

use bitacora_pulsar::{Auth, ClientConfig};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::Failure;

/// Publishes every committed change of a MySQL or MariaDB database as an event, once.
#[derive(Debug, Parser)]
#[command(name = "bitacora", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the embedded broker
    Broker(Broker),
    /// Captures changes as Pulsar IO's Debezium connector does
    #[command(subcommand)]
    Source(Source),
    /// Runs broker and sources of a bitacora.toml in one process
    Up(Up),
    /// Checks a server before its changes are captured
    Doctor(Doctor),
    /// Produces and consumes messages
    Client(Client),
    /// Lists topics
    Topics(Topics),
    /// Copies a data folder, even while it is in use
    Backup(Backup),
    /// Restores lost metadata of the broker from its logs
    Repair(Repair),
}

/// Pulsar's strategies for schema compatibility.
const STRATEGIES: [&str; 8] = [
    "FULL",
    "BACKWARD",
    "FORWARD",
    "FULL_TRANSITIVE",
    "BACKWARD_TRANSITIVE",
    "FORWARD_TRANSITIVE",
    "ALWAYS_COMPATIBLE",
    "ALWAYS_INCOMPATIBLE",
];

/// How a client authenticates itself, and whom it trusts.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// How the client authenticates itself: token (the default) or basic
    #[arg(long, value_name = "PLUGIN", alias = "client-auth-plugin", env = "BITACORA_PULSAR_AUTH_PLUGIN")]
    pub auth_plugin: Option<String>,
    /// Credentials of the client: token:… or file:///path; for basic {"userId":"…","password":"…"}
    #[arg(
        long,
        value_name = "PARAMS",
        alias = "client-auth-params",
        env = "BITACORA_PULSAR_AUTH_PARAMS",
        hide_env_values = true
    )]
    pub auth_params: Option<String>,
    /// PEM file of the authorities that may have signed the certificate of a pulsar+ssl broker; without it the public
    /// ones
    #[arg(
        long,
        value_name = "FILE",
        alias = "tlsTrustCertsFilePath",
        env = "BITACORA_PULSAR_TLS_TRUST_CERTS_FILE_PATH"
    )]
    pub tls_trust_cert_path: Option<PathBuf>,
}

/// `bitacora broker`.
#[derive(Debug, Args)]
pub(crate) struct Broker {
    /// Address of Pulsar's binary protocol
    #[arg(long, value_name = "HOST:PORT", env = "BITACORA_BROKER_LISTEN", default_value = "127.0.0.1:6650")]
    pub listen: String,
    /// Address of the admin REST
    #[arg(long, value_name = "HOST:PORT", env = "BITACORA_BROKER_HTTP", default_value = "127.0.0.1:8080")]
    pub http: String,
    /// A host name under which the admin REST accepts requests, besides localhost and addresses; may be repeated, or
    /// list several names separated by commas
    #[arg(long, value_name = "NAME", env = "BITACORA_BROKER_HTTP_NAMES", value_delimiter = ',')]
    pub http_name: Vec<String>,
    /// Allows addresses that other machines can reach; there is no authentication and no TLS
    #[arg(long, env = "BITACORA_BROKER_ALLOW_REMOTE")]
    pub allow_remote: bool,
    /// How a topic's schema may change if the policy of its namespace does not say
    #[arg(
        long,
        value_name = "STRATEGY",
        env = "BITACORA_BROKER_SCHEMA_COMPATIBILITY_STRATEGY",
        default_value = "FULL",
        value_parser = STRATEGIES
    )]
    pub schema_compatibility_strategy: String,
    /// Largest entry that clients may send, in bytes, from 65536 to 134217728
    #[arg(
        long,
        value_name = "BYTES",
        env = "BITACORA_BROKER_MAX_MESSAGE_SIZE",
        default_value_t = 5_242_880,
        value_parser = clap::value_parser!(u32).range(65_536..=134_217_728)
    )]
    pub max_message_size: u32,
    /// Folder of everything durable
    #[arg(long, value_name = "DIR", env = "BITACORA_DATA_DIR", default_value = "./bitacora-data")]
    pub data_dir: PathBuf,
}

/// `bitacora source`.
#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Runs one source of a Pulsar IO source file in the foreground
    Localrun(Localrun),
}

/// `bitacora source localrun`.
#[derive(Debug, Args)]
pub(crate) struct Localrun {
    /// Source file of Pulsar IO's Debezium connector (YAML)
    #[arg(long, value_name = "FILE")]
    pub source_config_file: PathBuf,
    /// Topic that Pulsar IO requires; it is created and stays empty, because tables have topics of their own
    #[arg(long, value_name = "TOPIC")]
    pub destination_topic_name: Option<String>,
    /// Service URL of the broker; without it the file's pulsar.service.url, or else pulsar://127.0.0.1:6650
    #[arg(long, value_name = "URL")]
    pub broker_service_url: Option<String>,
    /// How the source authenticates itself; without it as the file says
    #[command(flatten)]
    pub access: Access,
    /// Folder of the checkpoint
    #[arg(long, value_name = "DIR", env = "BITACORA_DATA_DIR", default_value = "./bitacora-data")]
    pub data_dir: PathBuf,
    /// Address of /metrics for Prometheus; without it BITACORA_METRICS_LISTEN, or else none
    #[arg(long, value_name = "HOST:PORT")]
    pub metrics_listen: Option<String>,
}

/// `bitacora up`.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Configuration file (TOML)
    #[arg(short, long, value_name = "FILE", default_value = "bitacora.toml")]
    pub config: PathBuf,
}

/// `bitacora doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Configuration file (TOML)
    #[arg(short, long, value_name = "FILE", default_value = "bitacora.toml", conflicts_with = "source_config_file")]
    pub config: PathBuf,
    /// Source file of Pulsar IO's Debezium connector (YAML)
    #[arg(long, value_name = "FILE")]
    pub source_config_file: Option<PathBuf>,
    /// Folder of the checkpoint; without it as the file or BITACORA_DATA_DIR says, or else ./bitacora-data
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// `bitacora backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Folder of the copy; it is created, or must be empty
    pub dir: PathBuf,
    /// Data folder to copy; the processes that use it keep running
    #[arg(long, value_name = "DIR", env = "BITACORA_DATA_DIR", default_value = "./bitacora-data")]
    pub data_dir: PathBuf,
}

/// `bitacora repair`.
#[derive(Debug, Args)]
pub(crate) struct Repair {
    /// Data folder of a stopped broker
    #[arg(long, value_name = "DIR", env = "BITACORA_DATA_DIR", default_value = "./bitacora-data")]
    pub data_dir: PathBuf,
}

/// `bitacora client`.
#[derive(Debug, Args)]
pub(crate) struct Client {
    /// Service URL of the broker
    #[arg(long, value_name = "URL", default_value = "pulsar://127.0.0.1:6650")]
    pub url: String,
    /// How the client authenticates itself
    #[command(flatten)]
    pub access: Access,
    /// What to do
    #[command(subcommand)]
    pub command: ClientCommand,
}

/// The commands of the client.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Prints messages of a topic
    Consume(Consume),
    /// Sends messages to a topic
    Produce(Produce),
}

/// `bitacora client consume`.
#[derive(Debug, Args)]
pub(crate) struct Consume {
    /// Topic
    pub topic: String,
    /// Subscription
    #[arg(short, long, value_name = "NAME")]
    pub subscription_name: String,
    /// Messages to consume; 0 consumes until interrupted
    #[arg(short, long, value_name = "N", default_value_t = 1)]
    pub num_messages: u64,
    /// Kind of the subscription
    #[arg(short = 't', long, value_enum, ignore_case = true, default_value = "exclusive")]
    pub subscription_type: SubscriptionType,
    /// Where a new subscription begins
    #[arg(short = 'p', long, value_enum, ignore_case = true, default_value = "latest")]
    pub subscription_position: SubscriptionPosition,
    /// Prints only that a message arrived
    #[arg(long)]
    pub hide_content: bool,
    /// What happens to a message that cannot be read, because its bytes are damaged or its count is wrong
    #[arg(long, value_enum, ignore_case = true, default_value = "skip")]
    pub unreadable: Unreadable,
    /// Largest message that is joined from chunks, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 2_147_483_647)]
    pub max_message_bytes: usize,
}

/// What happens to messages that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unreadable {
    /// The command reports and acknowledges them.
    Skip,
    /// The command ends with an error, and the message stays unacknowledged.
    Stop,
}

/// Kinds of subscriptions.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SubscriptionType {
    /// One consumer.
    Exclusive,
    /// Several consumers; each message goes to one of them.
    Shared,
    /// Several consumers; one at a time gets all messages.
    Failover,
    /// Several consumers; each key goes to one of them.
    #[value(name = "key_shared")]
    KeyShared,
}

/// Where a new subscription begins.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SubscriptionPosition {
    /// At messages that arrive from now on.
    Latest,
    /// At the oldest message.
    Earliest,
}

/// `bitacora client produce`.
#[derive(Debug, Args)]
pub(crate) struct Produce {
    /// Topic
    pub topic: String,
    /// Messages, separated by the separator
    #[arg(short, long, value_name = "TEXT", required_unless_present = "files")]
    pub messages: Vec<String>,
    /// Files, each with one message; separated by commas
    #[arg(short, long, value_name = "FILE", value_delimiter = ',')]
    pub files: Vec<PathBuf>,
    /// Separates messages
    #[arg(short, long, value_name = "TEXT", default_value = ",")]
    pub separator: String,
    /// Number of times that all messages are sent
    #[arg(short, long, value_name = "N", default_value_t = 1)]
    pub num_produce: u64,
    /// Key of the messages
    #[arg(short, long, value_name = "TEXT")]
    pub key: Option<String>,
    /// Properties of the messages
    #[arg(short, long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub properties: Vec<String>,
    /// Sends messages above the broker's maximum size in chunks
    #[arg(long, visible_alias = "chunking")]
    pub chunking_allowed: bool,
}

/// `bitacora topics`.
#[derive(Debug, Args)]
pub(crate) struct Topics {
    /// Service URL of the broker
    #[arg(long, value_name = "URL", default_value = "pulsar://127.0.0.1:6650")]
    pub url: String,
    /// How the client authenticates itself
    #[command(flatten)]
    pub access: Access,
    /// What to do
    #[command(subcommand)]
    pub command: TopicsCommand,
}

/// The commands on topics.
#[derive(Debug, Subcommand)]
pub(crate) enum TopicsCommand {
    /// Lists the topics of a namespace
    List {
        /// `tenant/namespace`
        namespace: String,
    },
}

impl Access {
    /// Returns a client's configuration for a service URL.
    ///
    /// # Errors
    /// One sentence about the fault in the credentials, which does not show them.
    pub(crate) fn client(self, url: &str) -> Result<ClientConfig, Failure> {
        let mut config = ClientConfig::url(url);
        self.replace(&mut config.auth, &mut config.tls_ca_file)?;
        Ok(config)
    }

    /// Replaces those values that the command line gives.
    ///
    /// # Errors
    /// Those of [`Access::client`].
    pub(crate) fn replace(self, auth: &mut Auth, tls_trust_certs_file: &mut Option<PathBuf>) -> Result<(), Failure> {
        if self.auth_plugin.is_some() || self.auth_params.is_some() {
            *auth = Auth::parse(self.auth_plugin.as_deref(), self.auth_params.as_deref())
                .map_err(|reason| Failure::new(format!("--auth-plugin and --auth-params: {reason}")))?;
        }
        if self.tls_trust_cert_path.is_some() {
            *tls_trust_certs_file = self.tls_trust_cert_path;
        }
        Ok(())
    }
}

/// Reads an address, whose host may be a name.
///
/// # Errors
/// One sentence with the form of an address.
pub(crate) fn address(text: &str, option: &str) -> Result<SocketAddr, Failure> {
    use std::net::ToSocketAddrs;
    text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()).ok_or_else(|| {
        Failure::new(format!("{text:?} is not an address for {option}; write HOST:PORT, such as 127.0.0.1:6650"))
    })
}
