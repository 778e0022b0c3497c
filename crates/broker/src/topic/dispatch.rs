//! The task of one subscription: it reads the log, passes entries to the dispatcher and writes MESSAGE frames.
//!
//! The task sleeps until a change could allow a delivery: a durable entry, permits, an acknowledgement, a new consumer,
//! a connection that can take bytes again, or a delayed entry that is due.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use base64::Engine;
use bitacora_pulsar_wire::{EntryPeek, Frame, proto::CommandMessage};
use bytes::Bytes;

use super::{
    state::Topic,
    subscription::{Core, Subscription},
};
use crate::{
    clock::now_ms,
    storage::StorageError,
    subscription::{ChunkPart, ConsumerKey, EntryView, Plan, PlanLimits, SubscriptionKind, sticky_hash},
};

const READ_ENTRIES: u64 = 500;
const READ_BYTES: usize = 4 * 1024 * 1024;
/// After a failed read the task waits this long before it tries again.
const READ_RETRY: Duration = Duration::from_secs(1);
/// The task sleeps at least so long for a delayed entry, so that many of them do not wake it one by one.
const DELAY_TICK: Duration = Duration::from_millis(50);

impl Subscription {
    fn plan(&self, end: u64) -> Option<Plan> {
        let mut core = self.lock();
        let Core { dispatcher, handles } = &mut *core;
        for handle in handles.values() {
            dispatcher.set_writable(handle.key, handle.connection.outbound.is_writable(&self.wake));
        }
        dispatcher.plan(&PlanLimits { end, entry_count: READ_ENTRIES, now_ms: now_ms() })
    }

    /// Sends entries of a plan to the consumers that take them. Returns whether it sent any or read on in the log.
    fn deliver(&self, topic: &Topic, plan: &Plan, entries: &[(u64, Bytes)]) -> bool {
        let mut core = self.lock();
        let kind = core.dispatcher.kind();
        let views: Vec<EntryView> = entries.iter().map(|(offset, entry)| view(kind, *offset, entry)).collect();
        let before = core.dispatcher.read_offset();
        let deliveries = core.dispatcher.deliver(plan.generation, &views, now_ms());
        let moved = !deliveries.is_empty() || core.dispatcher.read_offset() != before;
        let mut runs: HashMap<ConsumerKey, Vec<Frame>> = HashMap::new();
        for delivery in deliveries {
            let Some((offset, entry)) = entries.get(delivery.index) else { continue };
            let Some(handle) = core.handles.get(&delivery.consumer) else { continue };
            let message = CommandMessage {
                consumer_id: handle.consumer_id,
                message_id: topic.message_id(*offset),
                redelivery_count: Some(delivery.redelivery_count),
                ack_set: delivery.ack_set,
                consumer_epoch: (delivery.consumer_epoch > 0).then_some(delivery.consumer_epoch),
            };
            runs.entry(delivery.consumer).or_default().push(Frame::with_payload(message, entry.clone()));
        }
        for (key, frames) in runs {
            if let Some(handle) = core.handles.get(&key) {
                handle.connection.outbound.push_all(frames);
            }
        }
        moved
    }
}

/// Starts the task of a subscription. It ends with the subscription or with the topic.
pub(super) fn start(topic: &Arc<Topic>, subscription: &Arc<Subscription>) {
    tokio::spawn(run(Arc::downgrade(topic), Arc::clone(subscription)));
}

async fn run(topic: Weak<Topic>, subscription: Arc<Subscription>) {
    loop {
        let mut failed = false;
        while !subscription.is_closed() {
            let Some(topic) = topic.upgrade() else { return };
            let Some(plan) = subscription.plan(topic.log.durable_end()) else { break };
            match read(&topic, &plan).await {
                Ok(entries) => {
                    if !subscription.deliver(&topic, &plan, &entries) {
                        break;
                    }
                }
                Err(error) => {
                    let (topic, subscription) = (topic.full_name(), subscription.name());
                    tracing::error!(topic, subscription, %error, "cannot read the log");
                    failed = true;
                    break;
                }
            }
            tokio::task::consume_budget().await;
        }
        if subscription.is_closed() {
            return;
        }
        let due = subscription.lock().dispatcher.next_due_ms();
        let pause = match due {
            _ if failed => Some(READ_RETRY),
            Some(due) => Some(Duration::from_millis(due.saturating_sub(now_ms())).max(DELAY_TICK)),
            None => None,
        };
        match pause {
            Some(pause) => {
                let _ = tokio::time::timeout(pause, subscription.wake.notified()).await;
            }
            None => subscription.wake.notified().await,
        }
    }
}

async fn read(topic: &Topic, plan: &Plan) -> Result<Vec<(u64, Bytes)>, StorageError> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for &(start, end) in &plan.ranges {
        let mut next = start;
        while next < end && bytes < READ_BYTES {
            let read = topic.log.read(next, end, READ_BYTES - bytes).await?;
            let Some((last, _)) = read.last() else { break };
            next = last + 1;
            bytes += read.iter().map(|(_, entry)| entry.len()).sum::<usize>();
            entries.extend(read);
        }
    }
    Ok(entries)
}

fn view(kind: SubscriptionKind, offset: u64, entry: &Bytes) -> EntryView {
    let mut view = EntryView { offset, message_count: 1, bytes: entry.len() as u64, ..EntryView::default() };
    // A damaged entry is delivered as it is: the client finds that its checksum is wrong and acknowledges it as
    // corrupt.
    let Ok(peek) = EntryPeek::parse(entry) else { return view };
    view.message_count = peek.message_count();
    view.deliver_at_ms = peek.deliver_at_time.and_then(|t| u64::try_from(t).ok()).unwrap_or(0);
    if let (Some(uuid), Some(id), Some(count)) = (peek.uuid, peek.chunk_id, peek.num_chunks_from_msg)
        && count > 1
    {
        let uuid_hash = std::hash::BuildHasher::hash_one(
            &std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default(),
            uuid,
        );
        view.chunk = Some(ChunkPart { uuid_hash, is_last: id.saturating_add(1) >= count });
    }
    if kind == SubscriptionKind::KeyShared {
        view.key_hash = key_hash(&peek);
    }
    view
}

fn key_hash(peek: &EntryPeek<'_>) -> u16 {
    match (peek.ordering_key, peek.partition_key) {
        (Some(key), _) => sticky_hash(key),
        (None, Some(key)) if peek.partition_key_b64_encoded => {
            let decoded = base64::engine::general_purpose::STANDARD.decode(key);
            decoded.map_or_else(|_| sticky_hash(key.as_bytes()), |bytes| sticky_hash(&bytes))
        }
        (None, Some(key)) => sticky_hash(key.as_bytes()),
        (None, None) => sticky_hash(format!("{}-{}", peek.producer_name, peek.sequence_id).as_bytes()),
    }
}
