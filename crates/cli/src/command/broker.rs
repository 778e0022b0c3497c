//! `bitacora broker`.

use bitacora_config::BrokerConfig;

use super::{Interrupts, claim, start_broker};
use crate::arguments::Broker;
use crate::failure::Failure;

/// Runs the broker until it is interrupted.
pub(crate) async fn run(arguments: Broker) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen()?;
    let Broker {
        listen,
        http,
        http_name: http_names,
        allow_remote,
        schema_compatibility_strategy,
        max_message_size,
        data_dir,
    } = arguments;
    let _copies = claim(&data_dir)?;
    let asked =
        BrokerConfig { listen, http, http_names, allow_remote, schema_compatibility_strategy, max_message_size };
    let broker = start_broker(&asked, &data_dir).await?;
    interrupts.asked_to_end().await;
    Ok(broker.shutdown().await?)
}
