//! SUBSCRIBE, FLOW, CLOSE_CONSUMER, UNSUBSCRIBE, CONSUMER_STATS.

use std::sync::Arc;

use bitacora_pulsar_wire::{
    Command,
    proto::{
        CommandCloseConsumer, CommandConsumerStats, CommandConsumerStatsResponse, CommandError, CommandFlow,
        CommandSubscribe, CommandSuccess, CommandUnsubscribe, InitialPosition, KeySharedMode as WireKeySharedMode,
        ServerError,
    },
};

use super::{
    Session,
    slots::{ConsumerSlot, Slots},
};
use crate::{
    catalog::Missing,
    clock::{now_ms, rfc3339},
    peer::{Connection, PROBE},
    refused::Refused,
    schema::SchemaInfo,
    shared::Shared,
    subscription::{ActiveChange, ConsumerKey, ConsumerSpec, KeySharedMode, SubscriptionKind},
    topic::{ConsumerHandle, Durability, StartAt, SubscribeError, SubscribeRequest, Subscription, Topic},
};

impl Session {
    pub(super) fn subscribe(&self, command: CommandSubscribe) {
        let request_id = command.request_id;
        match self.slots.begin_consumer(command.consumer_id) {
            None => {}
            Some(ConsumerSlot::Pending) => {
                let message = "the consumer is still being created";
                return self.refuse(request_id, Refused::new(ServerError::ServiceNotReady, message));
            }
            Some(ConsumerSlot::Ready(..)) => return self.success(request_id),
        }
        let (shared, connection, slots) =
            (Arc::clone(&self.shared), Arc::clone(&self.connection), Arc::clone(&self.slots));
        tokio::spawn(async move {
            if let Err(refused) = create(&shared, &connection, &slots, &command).await {
                slots.take_consumer(command.consumer_id);
                connection.outbound.push(Command::from(CommandError {
                    request_id,
                    error: refused.code as i32,
                    message: refused.message,
                }));
            }
        });
    }

    pub(super) fn flow(&self, command: &CommandFlow) {
        if let Some((_, subscription, key)) = self.consumer(command.consumer_id) {
            subscription.lock().dispatcher.flow(key, command.message_permits);
            subscription.wake();
        }
    }

    pub(super) async fn close_consumer(&self, command: &CommandCloseConsumer) {
        let slot = self.slots.take_consumer(command.consumer_id);
        if let Some(ConsumerSlot::Ready(topic, subscription, key)) = slot {
            topic.detach_consumer(&subscription, key);
            // A client that closes its consumer expects that no message it acknowledged comes again.
            if let Err(error) = topic.flush_cursor(&subscription).await {
                return self.refuse(command.request_id, error.into());
            }
        }
        self.success(command.request_id);
    }

    pub(super) async fn unsubscribe(&self, command: &CommandUnsubscribe) {
        let Some((topic, subscription, key)) = self.consumer(command.consumer_id) else {
            let refused = Refused::new(ServerError::MetadataError, "the consumer does not exist");
            return self.refuse(command.request_id, refused);
        };
        let others = subscription.lock().handles.len().saturating_sub(1);
        if others > 0 && !command.force() {
            let message = format!("{others} other consumers are connected to the subscription");
            return self.refuse(command.request_id, Refused::new(ServerError::ConsumerBusy, message));
        }
        self.slots.take_consumer(command.consumer_id);
        topic.detach_consumer(&subscription, key);
        match topic.delete_subscription(&subscription).await {
            Ok(()) => self.success(command.request_id),
            Err(refused) => self.refuse(command.request_id, refused),
        }
    }

    pub(super) fn consumer_stats(&self, command: &CommandConsumerStats) {
        let request_id = command.request_id;
        let Some((topic, subscription, key)) = self.consumer(command.consumer_id) else {
            return self.push(CommandConsumerStatsResponse {
                request_id,
                error_code: Some(ServerError::ConsumerNotFound as i32),
                error_message: Some("the consumer does not exist".to_owned()),
                ..CommandConsumerStatsResponse::default()
            });
        };
        let core = subscription.lock();
        let state = core.dispatcher.consumer(key);
        let since = core.handles.get(&key).map(|handle| handle.connected_since_ms).unwrap_or_default();
        self.push(CommandConsumerStatsResponse {
            request_id,
            msg_rate_out: state.map(|s| s.rates().messages),
            msg_throughput_out: state.map(|s| s.rates().bytes),
            msg_rate_redeliver: Some(0.0),
            consumer_name: state.map(|s| s.spec().name.clone()),
            available_permits: state.map(|s| u64::try_from(s.permits()).unwrap_or(0)),
            unacked_messages: state.map(|s| s.unacked()),
            blocked_consumer_on_unacked_msgs: state.map(|s| s.is_blocked()),
            address: Some(self.connection.remote.clone()),
            connected_since: Some(rfc3339(since)),
            subscription_type: Some(core.dispatcher.kind().name().to_owned()),
            msg_rate_expired: Some(0.0),
            msg_backlog: Some(core.dispatcher.cursor().backlog(topic.log().durable_end())),
            message_ack_rate: Some(0.0),
            ..CommandConsumerStatsResponse::default()
        });
    }

    pub(super) fn consumer(&self, consumer_id: u64) -> Option<(Arc<Topic>, Arc<Subscription>, ConsumerKey)> {
        match self.slots.consumer(consumer_id) {
            Some(ConsumerSlot::Ready(topic, subscription, key)) => Some((topic, subscription, key)),
            _ => None,
        }
    }
}

async fn create(
    shared: &Shared,
    connection: &Arc<Connection>,
    slots: &Slots,
    command: &CommandSubscribe,
) -> Result<(), Refused> {
    let name = shared.catalog.parse(&command.topic)?;
    if command.subscription.is_empty() {
        return Err(Refused::new(ServerError::NotAllowedError, "the subscription name is empty"));
    }
    // This broker never compacts a topic, so the compacted view is the log itself.
    if command.read_compacted() && !matches!(command.sub_type, 0 | 2) {
        let message = "read_compacted needs an Exclusive or Failover subscription";
        return Err(Refused::new(ServerError::NotAllowedError, message));
    }
    let missing = if command.force_topic_creation.unwrap_or(true) { Missing::Create } else { Missing::Refuse };
    let topic = shared.catalog.topic(&name, missing).await?;
    if let Some(info) = command.schema.as_ref().map(SchemaInfo::from_wire).filter(|info| info.kind.is_registered()) {
        shared.catalog.consumer_schema(&topic, &info).await?;
    }
    let request = request(command)?;
    let key = topic.next_member_key();
    let consumer_name =
        if request.spec.name.is_empty() { format!("{:x}-{key}", connection.id) } else { request.spec.name.clone() };
    let request = SubscribeRequest { spec: ConsumerSpec { name: consumer_name.clone(), ..request.spec }, ..request };
    let handle = Arc::new(ConsumerHandle {
        key,
        consumer_id: command.consumer_id,
        name: consumer_name,
        metadata: command.metadata.iter().map(|kv| (kv.key.clone(), kv.value.clone())).collect(),
        connection: Arc::clone(connection),
        connected_since_ms: now_ms(),
    });
    let subscription = join(&topic, &handle, &request).await?;
    let slot = ConsumerSlot::Ready(Arc::clone(&topic), Arc::clone(&subscription), key);
    if !slots.fill_consumer(command.consumer_id, slot) {
        topic.detach_consumer(&subscription, key);
        // The broker closed the consumer, or the client did, which then expects no answer any more.
        return Err(Refused::new(ServerError::ServiceNotReady, "the consumer was closed; subscribe again"));
    }
    let core = subscription.lock();
    connection.outbound.push(Command::from(CommandSuccess { request_id: command.request_id, schema: None }));
    if core.dispatcher.kind() == SubscriptionKind::Failover {
        let is_active = core.dispatcher.active() == Some(key);
        subscription.announce(&core, &[ActiveChange { consumer: key, is_active }]);
    }
    drop(core);
    subscription.wake();
    Ok(())
}

/// Adds the consumer to its subscription. If a dead connection holds the subscription, that is freed first.
async fn join(
    topic: &Arc<Topic>,
    handle: &Arc<ConsumerHandle>,
    request: &SubscribeRequest,
) -> Result<Arc<Subscription>, Refused> {
    let mut probes = 0;
    loop {
        match topic.subscribe(handle, request).await {
            Ok(subscription) => return Ok(subscription),
            Err(SubscribeError::Refused(refused)) => return Err(refused),
            Err(SubscribeError::Occupied(other, refused)) => {
                let is_own = Arc::ptr_eq(&other.connection, &handle.connection);
                if is_own || probes > 10 || other.connection.is_alive(PROBE).await {
                    return Err(refused);
                }
                probes += 1;
                other.connection.end();
                if let Some(subscription) = topic.subscription(&request.subscription) {
                    topic.detach_consumer(&subscription, other.key);
                }
            }
        }
    }
}

fn request(command: &CommandSubscribe) -> Result<SubscribeRequest, Refused> {
    let kind = SubscriptionKind::from_wire(command.sub_type)
        .ok_or_else(|| Refused::new(ServerError::NotAllowedError, "the subscription type is unknown"))?;
    let durability = if command.durable.unwrap_or(true) { Durability::Durable } else { Durability::NonDurable };
    let rollback_sec = command.start_message_rollback_duration_sec();
    let start = match (&command.start_message_id, command.initial_position()) {
        _ if rollback_sec > 0 => StartAt::Time(now_ms().saturating_sub(rollback_sec.saturating_mul(1_000))),
        (Some(id), _) if durability == Durability::NonDurable => StartAt::Id(id.clone()),
        (_, InitialPosition::Earliest) => StartAt::Earliest,
        (_, InitialPosition::Latest) => StartAt::Latest,
    };
    let key_shared = command.key_shared_meta.as_ref();
    let sticky = key_shared.filter(|meta| meta.key_shared_mode == WireKeySharedMode::Sticky as i32);
    let ranges = sticky.map(|meta| {
        let bound = |number| u32::try_from(number).unwrap_or(u32::MAX);
        meta.hash_ranges.iter().map(|range| (bound(range.start), bound(range.end))).collect()
    });
    Ok(SubscribeRequest {
        subscription: command.subscription.clone(),
        kind,
        durability,
        start,
        spec: ConsumerSpec {
            name: command.consumer_name().to_owned(),
            priority: command.priority_level(),
            epoch: command.consumer_epoch(),
            key_shared: ranges.map_or(KeySharedMode::AutoSplit, KeySharedMode::Sticky),
            out_of_order: key_shared.is_some_and(|meta| meta.allow_out_of_order_delivery()),
        },
        properties: command.subscription_properties.iter().map(|kv| (kv.key.clone(), kv.value.clone())).collect(),
    })
}
