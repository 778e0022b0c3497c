//! The command line. Names of commands and flags follow Pulsar's own tools where they have one.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Publishes every committed change of a MySQL or MariaDB database as an event, once.
#[derive(Debug, Parser)]
#[command(name = "bitacora", version, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
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
}

/// `bitacora broker`.
#[derive(Debug, Args)]
pub struct Broker {
    /// Address of Pulsar's binary protocol
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:6650")]
    pub listen: String,
    /// Address of the admin REST
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub http: String,
    /// Let other machines reach the addresses; there is no authentication and no TLS
    #[arg(long)]
    pub allow_remote: bool,
    /// Folder of everything durable
    #[arg(long, value_name = "DIR", default_value = "./bitacora-data")]
    pub data_dir: PathBuf,
}

/// `bitacora source`.
#[derive(Debug, Subcommand)]
pub enum Source {
    /// Runs one source of a Pulsar IO source file in the foreground
    Localrun(Localrun),
}

/// `bitacora source localrun`.
#[derive(Debug, Args)]
pub struct Localrun {
    /// Source file of Pulsar IO's Debezium connector (YAML)
    #[arg(long, value_name = "FILE")]
    pub source_config_file: PathBuf,
    /// Topic that Pulsar IO wants to be named; it is created and stays empty, tables have their own topics
    #[arg(long, value_name = "TOPIC")]
    pub destination_topic_name: Option<String>,
    /// Service URL of the broker; without it pulsar.service.url of the file, else pulsar://127.0.0.1:6650
    #[arg(long, value_name = "URL")]
    pub broker_service_url: Option<String>,
    /// Folder of the checkpoint
    #[arg(long, value_name = "DIR", default_value = "./bitacora-data")]
    pub data_dir: PathBuf,
    /// Address of /metrics for Prometheus; without it that of BITACORA_METRICS_LISTEN, else none
    #[arg(long, value_name = "HOST:PORT")]
    pub metrics_listen: Option<String>,
}

/// `bitacora up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Configuration file (TOML)
    #[arg(short, long, value_name = "FILE", default_value = "bitacora.toml")]
    pub config: PathBuf,
}

/// `bitacora doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Configuration file (TOML)
    #[arg(short, long, value_name = "FILE", default_value = "bitacora.toml", conflicts_with = "source_config_file")]
    pub config: PathBuf,
    /// Source file of Pulsar IO's Debezium connector (YAML)
    #[arg(long, value_name = "FILE")]
    pub source_config_file: Option<PathBuf>,
}

/// `bitacora client`.
#[derive(Debug, Args)]
pub struct Client {
    /// Service URL of the broker
    #[arg(long, value_name = "URL", default_value = "pulsar://127.0.0.1:6650")]
    pub url: String,
    /// What to do
    #[command(subcommand)]
    pub command: ClientCommand,
}

/// The commands of the client.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Prints messages of a topic
    Consume(Consume),
    /// Sends messages to a topic
    Produce(Produce),
}

/// `bitacora client consume`.
#[derive(Debug, Args)]
pub struct Consume {
    /// Topic
    pub topic: String,
    /// Subscription
    #[arg(short, long, value_name = "NAME")]
    pub subscription_name: String,
    /// Messages to consume; 0 goes on until interrupted
    #[arg(short, long, value_name = "N", default_value_t = 1)]
    pub num_messages: u64,
    /// Kind of the subscription
    #[arg(short = 't', long, value_enum, ignore_case = true, default_value = "exclusive")]
    pub subscription_type: SubscriptionType,
    /// Where a new subscription begins
    #[arg(short = 'p', long, value_enum, ignore_case = true, default_value = "latest")]
    pub subscription_position: SubscriptionPosition,
    /// Prints only that a message came
    #[arg(long)]
    pub hide_content: bool,
}

/// Kinds of subscriptions.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SubscriptionType {
    /// One consumer.
    Exclusive,
    /// Several, each message to one of them.
    Shared,
    /// Several, one at a time.
    Failover,
    /// Several, each key to one of them.
    #[value(name = "key_shared")]
    KeyShared,
}

/// Where a subscription begins.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SubscriptionPosition {
    /// With new messages.
    Latest,
    /// With the oldest message.
    Earliest,
}

/// `bitacora client produce`.
#[derive(Debug, Args)]
pub struct Produce {
    /// Topic
    pub topic: String,
    /// Messages, separated by the separator
    #[arg(short, long, value_name = "TEXT", required_unless_present = "files")]
    pub messages: Vec<String>,
    /// Files, each of which is one message; separated by commas
    #[arg(short, long, value_name = "FILE", value_delimiter = ',')]
    pub files: Vec<PathBuf>,
    /// Separates messages
    #[arg(short, long, value_name = "TEXT", default_value = ",")]
    pub separator: String,
    /// Times that all messages are sent
    #[arg(short, long, value_name = "N", default_value_t = 1)]
    pub num_produce: u64,
    /// Key of the messages
    #[arg(short, long, value_name = "TEXT")]
    pub key: Option<String>,
    /// Properties of the messages
    #[arg(short, long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub properties: Vec<String>,
}

/// `bitacora topics`.
#[derive(Debug, Args)]
pub struct Topics {
    /// Service URL of the broker
    #[arg(long, value_name = "URL", default_value = "pulsar://127.0.0.1:6650")]
    pub url: String,
    /// What to do
    #[command(subcommand)]
    pub command: TopicsCommand,
}

/// The commands on topics.
#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// Lists the topics of a namespace
    List {
        /// `tenant/namespace`
        namespace: String,
    },
}

/// Reads an address, whose host may be a name.
///
/// # Errors
/// One sentence with the form of an address.
pub fn address(text: &str, option: &str) -> Result<SocketAddr, crate::failure::Failure> {
    use std::net::ToSocketAddrs;
    text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()).ok_or_else(|| {
        crate::failure::Failure::new(format!(
            "{text:?} is no address for {option}; write HOST:PORT, such as 127.0.0.1:6650"
        ))
    })
}
