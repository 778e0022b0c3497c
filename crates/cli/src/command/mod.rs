//! One file for each command.

pub mod broker;
pub mod client;
pub mod doctor;
pub mod source;
pub mod topics;
pub mod up;

use std::path::Path;

use bitacora_broker::{Broker, BrokerConfig, Reach};

use crate::arguments::address;
use crate::failure::Failure;

/// Starts the embedded broker and says where it listens.
async fn start_broker(listen: &str, http: &str, reach: Reach, data_dir: &Path) -> Result<Broker, Failure> {
    let mut config = BrokerConfig::new(data_dir);
    config.listen = Some(address(listen, "the binary protocol")?);
    config.http = Some(address(http, "the admin REST")?);
    config.reach = reach;
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

/// What a person's leave means to the broker.
fn reach(allow_remote: bool) -> Reach {
    if allow_remote { Reach::Network } else { Reach::Loopback }
}

/// Waits for Ctrl-C or a polite request to end.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
