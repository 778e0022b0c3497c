//! PRODUCER, SEND, CLOSE_PRODUCER.

use std::{collections::HashMap, sync::Arc};

use bitacora_pulsar_wire::{
    Command,
    proto::{CommandCloseProducer, CommandError, CommandProducer, CommandProducerSuccess, CommandSend, ServerError},
    schema::version_bytes,
};
use bytes::Bytes;

use super::{
    Session, Violation,
    slots::{Begin, ProducerSlot, Slots},
};
use crate::{
    catalog::Missing,
    clock::now_ms,
    peer::{CloseReason, Connection},
    refused::Refused,
    schema::SchemaInfo,
    shared::Shared,
    topic::{AccessMode, Counter, Epochs, ProducerHandle, Publish, Standing, StartAt},
};

impl Session {
    pub(super) fn producer(&self, command: CommandProducer) {
        let request_id = command.request_id;
        match self.slots.begin_producer(command.producer_id, command.epoch()) {
            Begin::Work => {}
            Begin::Busy => {
                let message = "the producer is still being created";
                return self.refuse(request_id, Refused::new(ServerError::ServiceNotReady, message));
            }
            Begin::Known(handle) => {
                return self.push(CommandProducerSuccess {
                    request_id,
                    producer_name: handle.name.clone(),
                    schema_version: Some(handle.schema_version.clone()),
                    ..CommandProducerSuccess::default()
                });
            }
        }
        let (shared, connection, slots) =
            (Arc::clone(&self.shared), Arc::clone(&self.connection), Arc::clone(&self.slots));
        tokio::spawn(async move {
            if let Err(refused) = create(&shared, &connection, &slots, &command).await {
                slots.give_up_producer(command.producer_id);
                connection.outbound.push(Command::from(CommandError {
                    request_id,
                    error: refused.code as i32,
                    message: refused.message,
                }));
            }
        });
    }

    pub(super) async fn send(&self, command: &CommandSend, entry: Bytes) -> Result<(), Violation> {
        match self.slots.producer(command.producer_id) {
            Some(ProducerSlot::Ready(topic, handle)) => {
                topic.publish(
                    &handle,
                    Publish {
                        sequence_id: command.sequence_id,
                        highest_sequence_id: command.highest_sequence_id,
                        entry,
                    },
                );
                self.connection.wait_for_inflight(self.shared.config.inflight_bytes).await;
                Ok(())
            }
            Some(ProducerSlot::ClosedByBroker(_) | ProducerSlot::Pending | ProducerSlot::Waiting(..)) => Ok(()),
            None => Err(Violation(format!("SEND for the unknown producer id {}", command.producer_id))),
        }
    }

    pub(super) async fn close_producer(&self, command: &CommandCloseProducer) {
        match self.slots.take_producer(command.producer_id) {
            Some(ProducerSlot::Ready(topic, handle) | ProducerSlot::Waiting(topic, handle)) => {
                topic.release_producer(handle.key).await;
            }
            // PRODUCER has not been answered yet, but a topic may have the producer already.
            Some(ProducerSlot::Pending) => {
                for topic in self.shared.catalog.open_topics() {
                    for (key, id) in topic.producers_of(self.connection.id) {
                        if id == command.producer_id {
                            topic.release_producer(key).await;
                        }
                    }
                }
            }
            Some(ProducerSlot::ClosedByBroker(_)) | None => {}
        }
        self.success(command.request_id);
    }
}

/// Processes PRODUCER and answers it. The caller answers if this function returns a refusal.
async fn create(
    shared: &Shared,
    connection: &Arc<Connection>,
    slots: &Slots,
    command: &CommandProducer,
) -> Result<(), Refused> {
    let mode = AccessMode::from_wire(command.producer_access_mode.unwrap_or(0));
    let mode = mode.ok_or_else(|| Refused::new(ServerError::NotAllowedError, "the access mode is unknown"))?;
    let name = shared.catalog.parse(&command.topic)?;
    let topic = shared.catalog.topic(&name, Missing::Create).await?;
    let schema = command.schema.as_ref().map(SchemaInfo::from_wire).filter(|info| info.kind.is_registered());
    let schema_version = match schema {
        Some(info) => version_bytes(shared.catalog.register_schema(&name, &info).await?),
        None => Bytes::new(),
    };
    if let Some(subscription) = command.initial_subscription_name.as_deref().filter(|name| !name.is_empty()) {
        topic.create_subscription(subscription, StartAt::Earliest, HashMap::new()).await?;
    }
    let given = command.producer_name.clone().filter(|name| !name.is_empty());
    let handle = Arc::new(ProducerHandle {
        key: topic.next_member_key(),
        producer_id: command.producer_id,
        is_named_by_user: given.is_some() && command.user_provided_producer_name.unwrap_or(true),
        name: given.unwrap_or_else(|| shared.generate_producer_name()),
        mode,
        request_id: command.request_id,
        schema_version,
        metadata: command.metadata.iter().map(|kv| (kv.key.clone(), kv.value.clone())).collect(),
        connection: Arc::clone(connection),
        connected_since_ms: now_ms(),
        published: Counter::default(),
    });
    let epochs = Epochs {
        producer: command.epoch(),
        topic: if mode == AccessMode::Shared { None } else { command.topic_epoch },
    };
    let standing = topic.admit_producer(&handle, epochs).await?;
    let slot = match standing {
        Standing::Ready { .. } => ProducerSlot::Ready(Arc::clone(&topic), Arc::clone(&handle)),
        Standing::Waiting => ProducerSlot::Waiting(Arc::clone(&topic), Arc::clone(&handle)),
    };
    if slots.fill_producer(command.producer_id, slot) {
        handle.answer(standing);
        return Ok(());
    }
    topic.release_producer(handle.key).await;
    match slots.producer(command.producer_id) {
        // The client heard of the close, but a client whose PRODUCER has no answer waits for that.
        Some(ProducerSlot::ClosedByBroker(CloseReason::TakenOver)) => {
            Err(Refused::new(ServerError::ProducerFenced, "another producer took over the topic"))
        }
        Some(ProducerSlot::ClosedByBroker(CloseReason::TopicClosed)) => {
            Err(Refused::new(ServerError::ServiceNotReady, "the topic was closed; connect the producer again"))
        }
        // The client itself closed it, a waiting producer was refused, or the connection has ended.
        _ => Ok(()),
    }
}
