//! Random calls of a topic, compared with a model of what its clients may see. The topic is a real one with its log and
//! its metadata in a folder; its clients are connections whose frames the test reads.

mod membership;
mod subscriptions;

use std::{sync::Arc, time::Duration};

use bitacora_pulsar_wire::{Command, TopicName};

use super::Topic;
use crate::{
    catalog::{Catalog, Missing},
    config::BrokerConfig,
    peer::Connection,
};

/// Number of cases of each property. It is low because every case writes to the disk.
const CASES: u32 = 24;

/// Runs a case on a new topic.
fn on_topic(case: impl AsyncFnOnce(Arc<Topic>)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let (catalog, _) = Catalog::open(&BrokerConfig::new(folder.path())).await.unwrap();
        let topic = catalog.topic(&TopicName::parse("t").unwrap(), Missing::Create).await.unwrap();
        case(topic).await;
    });
}

/// Returns the connection of a client.
fn connect(id: u64) -> Arc<Connection> {
    Arc::new(Connection::new(id, "test".to_owned(), 1 << 20))
}

/// Returns the commands that wait for a client, after it has answered a PING among them.
async fn frames(connection: &Connection) -> Vec<Command> {
    let mut taken = Vec::new();
    while let Ok(Some(batch)) = tokio::time::timeout(Duration::ZERO, connection.outbound.next_batch()).await {
        taken.extend(batch.into_iter().map(|frame| frame.command));
    }
    if taken.iter().any(|command| matches!(command, Command::Ping(_))) {
        connection.heard();
    }
    taken
}
