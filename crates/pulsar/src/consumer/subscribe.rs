//! SUBSCRIBE, and the session that it opens at the broker.

use std::sync::Arc;

use bitacora_pulsar_wire::proto::{
    CommandCloseConsumer, CommandSubscribe, IntRange, KeySharedMeta, KeySharedMode, KeyValue, SubType,
};
use bitacora_pulsar_wire::{Command, Frame};
use tokio::sync::mpsc;

use super::options::{ConsumerOptions, KeySharedPolicy, ReadCompacted, StartPosition};
use crate::cluster::Cluster;
use crate::connection::Connection;
use crate::error::Error;

/// Whether the broker keeps the subscription's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    Durable,
    NonDurable,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: Arc<Connection>,
    pub(super) consumer_id: u64,
    pub(super) events: mpsc::UnboundedReceiver<Frame>,
}

impl Session {
    pub(super) fn is_closed(&self) -> bool {
        self.connection.is_closed()
    }

    /// Sends a command that has no answer. A lost connection is not an error here: `receive` repairs it.
    pub(super) async fn tell(&self, command: impl Into<Command>) -> Result<(), Error> {
        match self.connection.send(Frame::new(command)).await {
            Ok(()) | Err(Error::Disconnected) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Closes the consumer at the broker. A failure is ignored: it means a lost connection, with which the broker
    /// closes it.
    pub(super) async fn close(self) {
        let consumer_id = self.consumer_id;
        let build = |request_id| CommandCloseConsumer { consumer_id, request_id, ..Default::default() };
        let _ = self.connection.request("CLOSE_CONSUMER", build).await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.forget_consumer(self.consumer_id);
    }
}

pub(super) async fn subscribe(
    cluster: &Cluster,
    options: &ConsumerOptions,
    durability: Durability,
    start: StartPosition,
    epoch: u64,
) -> Result<Session, Error> {
    let connection = cluster.topic_connection(&options.topic).await?;
    let (consumer_id, events) = connection.register_consumer();
    let session = Session { connection, consumer_id, events };
    let answer = session
        .connection
        .request("SUBSCRIBE", |request_id| CommandSubscribe {
            topic: options.topic.to_string(),
            subscription: options.subscription.clone(),
            sub_type: options.sub_type as i32,
            consumer_id,
            request_id,
            consumer_name: options.name.clone(),
            priority_level: options.priority_level,
            durable: Some(durability == Durability::Durable),
            start_message_id: (durability == Durability::NonDurable).then(|| start.message_id().into()),
            read_compacted: Some(options.read_compacted == ReadCompacted::Yes),
            schema: options.schema.clone(),
            initial_position: Some(options.initial_position as i32),
            key_shared_meta: (options.sub_type == SubType::KeyShared).then(|| key_shared_meta(&options.key_shared)),
            subscription_properties: options
                .subscription_properties
                .iter()
                .map(|(key, value)| KeyValue { key: key.clone(), value: value.clone() })
                .collect(),
            consumer_epoch: Some(epoch),
            ..Default::default()
        })
        .await?;
    match answer {
        Command::Success(_) => Ok(session),
        _ => Err(Error::unexpected_answer()),
    }
}

fn key_shared_meta(policy: &KeySharedPolicy) -> KeySharedMeta {
    let (mode, ranges) = match policy {
        KeySharedPolicy::AutoSplit => (KeySharedMode::AutoSplit, [].as_slice()),
        KeySharedPolicy::Sticky(ranges) => (KeySharedMode::Sticky, ranges.as_slice()),
    };
    KeySharedMeta {
        key_shared_mode: mode as i32,
        hash_ranges: ranges.iter().map(|(start, end)| IntRange { start: *start, end: *end }).collect(),
        allow_out_of_order_delivery: None,
    }
}
