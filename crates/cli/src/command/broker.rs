//! `bitacora broker`.

use super::{Interrupts, reach, start_broker};
use crate::arguments::Broker;
use crate::failure::Failure;

/// Runs the broker until it is interrupted.
pub async fn run(arguments: Broker) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen()?;
    let broker =
        start_broker(&arguments.listen, &arguments.http, reach(arguments.allow_remote), &arguments.data_dir).await?;
    interrupts.asked_to_end().await;
    Ok(broker.shutdown().await?)
}
