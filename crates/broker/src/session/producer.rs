//! PRODUCER, SEND, CLOSE_PRODUCER.

use std::{collections::HashMap, sync::Arc};

use bitacora_pulsar_wire::{
    Command,
    proto::{CommandCloseProducer, CommandError, CommandProducer, CommandProducerSuccess, CommandSend, ServerError},
    schema::version_bytes,
};
use bytes::Bytes;

use super::{Connection, PROBE, ProducerSlot, Session, Violation, schema::info};
use crate::{
    broker::Shared,
    catalog::Missing,
    topic::{
        AccessMode, Attached, Counter, ProducerHandle, ProducerKey, Publish, Refusal, Refused, StartAt, Topic, now_ms,
    },
};

impl Session {
    pub(super) fn producer(&self, command: CommandProducer) {
        let request_id = command.request_id;
        {
            let mut slots = self.connection.producers();
            match slots.get(&command.producer_id) {
                Some(ProducerSlot::Pending) => {
                    drop(slots);
                    let message = "the producer is still being created";
                    return self.refuse(request_id, Refused::new(ServerError::ServiceNotReady, message));
                }
                Some(ProducerSlot::Ready(_, handle)) if command.epoch() == 0 => {
                    let handle = Arc::clone(handle);
                    drop(slots);
                    return self.push(CommandProducerSuccess {
                        request_id,
                        producer_name: handle.name.clone(),
                        schema_version: Some(handle.schema_version.clone()),
                        ..CommandProducerSuccess::default()
                    });
                }
                _ => slots.insert(command.producer_id, ProducerSlot::Pending),
            };
        }
        let (shared, connection) = (Arc::clone(&self.shared), Arc::clone(&self.connection));
        tokio::spawn(async move {
            if let Err(refused) = create(&shared, &connection, &command).await {
                let mut slots = connection.producers();
                if matches!(slots.get(&command.producer_id), Some(ProducerSlot::Pending)) {
                    slots.remove(&command.producer_id);
                }
                drop(slots);
                connection.outbound.push(Command::from(CommandError {
                    request_id,
                    error: refused.code as i32,
                    message: refused.message,
                }));
            }
        });
    }

    pub(super) async fn send(&self, command: &CommandSend, entry: Bytes) -> Result<(), Violation> {
        let slot = self.connection.producers().get(&command.producer_id).cloned();
        match slot {
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
            Some(ProducerSlot::ClosedByBroker | ProducerSlot::Pending) => Ok(()),
            None => Err(Violation(format!("SEND for the unknown producer id {}", command.producer_id))),
        }
    }

    pub(super) async fn close_producer(&self, command: &CommandCloseProducer) {
        let slot = self.connection.producers().remove(&command.producer_id);
        match slot {
            Some(ProducerSlot::Ready(topic, handle)) => detach(&topic, handle.key).await,
            Some(ProducerSlot::Pending) => {
                for topic in self.shared.catalog.open_topics() {
                    for (key, _) in topic.producers_of(self.connection.id).iter().filter(|w| w.1 == command.producer_id)
                    {
                        detach(&topic, *key).await;
                    }
                }
            }
            _ => {}
        }
        self.success(command.request_id);
    }
}

/// Takes a producer out and lets the next one in, its epoch first made durable.
pub(super) async fn detach(topic: &Arc<Topic>, key: ProducerKey) {
    let mut leaving = Some(key);
    while let Some(key) = leaving.take() {
        let Some(promoted) = topic.detach_producer(key) else { return };
        match topic.store_epoch(promoted.topic_epoch).await {
            Ok(()) => topic.tell_promoted(&promoted),
            // Its producers have been sent away.
            Err(_) if topic.is_deleted() => return,
            Err(error) => {
                tracing::error!(topic = topic.full_name(), %error, "cannot store the topic epoch; the waiting producer is not let in");
                promoted.handle.connection.end();
                leaving = Some(promoted.handle.key);
            }
        }
    }
}

async fn create(shared: &Arc<Shared>, connection: &Arc<Connection>, command: &CommandProducer) -> Result<(), Refused> {
    let mode = AccessMode::from_wire(command.producer_access_mode.unwrap_or(0));
    let mode = mode.ok_or_else(|| Refused::new(ServerError::NotAllowedError, "the access mode is unknown"))?;
    let name = shared.catalog.parse(&command.topic)?;
    let topic = shared.catalog.topic(&name, Missing::Create).await?;
    let schema_version = match command.schema.as_ref().map(info).filter(|info| info.kind.is_registered()) {
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
    let topic_epoch = if mode == AccessMode::Shared { None } else { command.topic_epoch };
    let attached = attach(&topic, &handle, command.epoch(), topic_epoch).await?;
    let (is_ready, topic_epoch, last_sequence_id) = match attached {
        Attached::Ready { topic_epoch, last_sequence_id } => {
            if let Some(epoch) = topic_epoch
                && let Err(refused) = topic.store_epoch(epoch).await
            {
                detach(&topic, handle.key).await;
                return Err(refused);
            }
            // CLOSE_PRODUCER, or the end of the connection, may have come meanwhile.
            if !make_ready(connection, &topic, &handle) {
                detach(&topic, handle.key).await;
                return Ok(());
            }
            (true, topic_epoch, last_sequence_id)
        }
        Attached::Waiting => (false, None, -1),
    };
    connection.outbound.push(Command::from(CommandProducerSuccess {
        request_id: command.request_id,
        producer_name: handle.name.clone(),
        last_sequence_id: Some(last_sequence_id),
        schema_version: Some(handle.schema_version.clone()),
        topic_epoch,
        producer_ready: Some(is_ready),
    }));
    if !is_ready && connection.has_ended() {
        detach(&topic, handle.key).await;
    }
    Ok(())
}

fn make_ready(connection: &Connection, topic: &Arc<Topic>, handle: &Arc<ProducerHandle>) -> bool {
    let mut slots = connection.producers();
    let is_wanted = !connection.has_ended() && matches!(slots.get(&handle.producer_id), Some(ProducerSlot::Pending));
    if is_wanted {
        slots.insert(handle.producer_id, ProducerSlot::Ready(Arc::clone(topic), Arc::clone(handle)));
    }
    is_wanted
}

/// Takes the producer in; a name held by a dead connection is freed first.
async fn attach(
    topic: &Arc<Topic>,
    handle: &Arc<ProducerHandle>,
    epoch: u64,
    topic_epoch: Option<u64>,
) -> Result<Attached, Refused> {
    let mut is_probed = false;
    loop {
        let refusal = match topic.attach_producer(handle, epoch, topic_epoch) {
            Ok(attached) => return Ok(attached),
            Err(Err(refused)) => return Err(refused),
            Err(Ok(refusal)) => refusal,
        };
        match refusal {
            Refusal::NameTaken { holder, connection } => {
                let other = topic.producer_connection(holder).filter(|_| connection != handle.connection.id);
                let Some(other) = other else { return Err(name_taken(handle)) };
                if is_probed || other.is_alive(PROBE).await {
                    return Err(name_taken(handle));
                }
                is_probed = true;
                other.end();
                detach(topic, holder).await;
            }
            Refusal::Busy => {
                let message = "an exclusive producer holds the topic or waits for it";
                return Err(Refused::new(ServerError::ProducerBusy, message));
            }
            Refusal::Fenced => {
                let message = "the topic has another producer, or a later one has taken it over";
                return Err(Refused::new(ServerError::ProducerFenced, message));
            }
        }
    }
}

fn name_taken(handle: &ProducerHandle) -> Refused {
    let message = format!("a producer named \"{}\" is already connected to the topic", handle.name);
    Refused::new(ServerError::ProducerBusy, message)
}
