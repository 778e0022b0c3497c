//! `bitacora topics`.

use bitacora_pulsar::Client;

use crate::arguments::{Topics, TopicsCommand};
use crate::failure::Failure;

/// Prints the topics of a namespace, one per line.
pub(crate) async fn run(arguments: Topics) -> Result<(), Failure> {
    let client = Client::new(arguments.access.client(&arguments.url)?)?;
    let TopicsCommand::List { namespace } = arguments.command;
    let mut topics = client.topics(&namespace).await?;
    topics.sort();
    for topic in topics {
        println!("{topic}");
    }
    Ok(())
}
