//! One file for each command.

pub(crate) mod backup;
pub(crate) mod broker;
pub(crate) mod client;
pub(crate) mod doctor;
pub(crate) mod source;
pub(crate) mod topics;
pub(crate) mod up;

use std::path::Path;
use std::time::Duration;

use bitacora_broker::{Broker, BrokerConfig, Reach, Strategy};
use bitacora_data_folder::{CopyService, make_folder, refuse_unfinished, tighten, tighten_own};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::address;
use crate::failure::Failure;

/// Starts the embedded broker and prints where it listens.
async fn start_broker(asked: &bitacora_config::BrokerConfig, data_dir: &Path) -> Result<Broker, Failure> {
    let mut config = BrokerConfig::new(data_dir);
    config.listen = Some(address(&asked.listen, "the binary protocol")?);
    config.http = Some(address(&asked.http, "the admin REST")?);
    config.http_names.clone_from(&asked.http_names);
    config.reach = if asked.allow_remote { Reach::Network } else { Reach::Loopback };
    config.max_message_bytes = asked.max_message_size;
    config.schema_compatibility = Strategy::parse(&asked.schema_compatibility_strategy).unwrap_or_default();
    let broker = Broker::start(config).await?;
    let shown = |address: Option<std::net::SocketAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    println!(
        "broker ready: pulsar://{} http://{} data {}",
        shown(broker.listen_addr()),
        shown(broker.http_addr()),
        data_dir.display()
    );
    Ok(broker)
}

/// Prepares a data folder for this process: closes it to other users and, until the result is dropped, gives
/// `bitacora backup` copies of the files that this process has open.
fn claim(data_dir: &Path) -> Result<Option<CopyService>, Failure> {
    refuse_unfinished(data_dir)?;
    let unusable = |error| {
        let path = data_dir.display();
        Failure::new(format!(
            "the data folder {path} cannot be created: {error}; choose another (--data-dir, data_dir)"
        ))
    };
    if data_dir.exists() {
        tighten_own(data_dir, &["sources", "metadata.redb", "LOCK"]);
        tighten(&data_dir.join("sources"));
    } else {
        make_folder(data_dir).map_err(unusable)?;
    }
    match CopyService::start(data_dir) {
        Ok(service) => Ok(Some(service)),
        Err(error) => {
            eprintln!(
                "bitacora: {} cannot hold a socket ({error}); `bitacora backup` can copy it only while no process uses \
                it",
                data_dir.display()
            );
            Ok(None)
        }
    }
}

/// Exit code of a process that Ctrl-C ended before it had shut down, as a shell reports it.
const INTERRUPTED: i32 = 130;

/// Time that the process has to shut down. After it the process says that it is still shutting down, and Ctrl-C ends it
/// at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// The signals that ask the process to end, SIGINT and SIGTERM. Once this exists, neither kills the process, and a
/// signal that comes before the call of [`Interrupts::asked_to_end`] is kept for it.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    fn listen() -> Result<Interrupts, Failure> {
        Ok(Interrupts { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for a signal. Then the process has [`PATIENCE`] to shut down; after that, another Ctrl-C ends it at once.
    /// The future can be dropped and created again without missing a signal.
    async fn asked_to_end(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        tokio::spawn(cut_short());
    }
}

/// Ends the process at the next Ctrl-C. One within [`PATIENCE`] does not count: a child in the terminal's process group
/// gets each signal twice if its parent forwards signals.
async fn cut_short() {
    tokio::time::sleep(PATIENCE).await;
    let Ok(mut interrupt) = listen(SignalKind::interrupt()) else { return };
    eprintln!(
        "bitacora: everything under way is finished first; Ctrl-C ends at once, and the next start does the rest"
    );
    interrupt.recv().await;
    std::process::exit(INTERRUPTED);
}

fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(format!("the process cannot listen for signals: {error}")))
}
