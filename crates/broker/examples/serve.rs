//! Runs a broker on the addresses given as arguments (binary protocol, admin REST), for trials with real clients.

use std::{error::Error, net::SocketAddr};

use bitacora_broker::{Broker, BrokerConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut config = BrokerConfig::new(arguments.next().ok_or("first argument: the data directory")?);
    config.listen = Some(arguments.next().as_deref().unwrap_or("127.0.0.1:6650").parse::<SocketAddr>()?);
    config.http = Some(arguments.next().as_deref().unwrap_or("127.0.0.1:8080").parse::<SocketAddr>()?);
    if let Some(bytes) = arguments.next() {
        config.max_message_bytes = bytes.parse()?;
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let broker = Broker::start(config).await?;
    println!("listening on {:?} and {:?}", broker.listen_addr(), broker.http_addr());
    tokio::signal::ctrl_c().await?;
    broker.shutdown().await?;
    Ok(())
}
