//! Statistics of topics.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use serde_json::{Map, Value, json};

use super::answer::{Broker, Problem, topic_name};
use crate::{
    catalog::Missing,
    clock::rfc3339,
    meter::Rates,
    shared::Shared,
    subscription::Dispatcher,
    topic::{DeduplicationPolicy, ProducerHandle, Subscription, Topic},
};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/persistent/{tenant}/{namespace}/{topic}/stats", get(stats))
        .route("/persistent/{tenant}/{namespace}/{topic}/partitioned-stats", get(partitioned_stats))
        .route("/persistent/{tenant}/{namespace}/{topic}/internalStats", get(internal_stats))
}

type Name = Path<(String, String, String)>;

async fn stats(State(shared): Broker, Path((t, n, topic)): Name) -> Result<Json<Value>, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    let topic = shared.catalog.topic(&name, Missing::Refuse).await?;
    Ok(Json(of_topic(&shared, &topic)))
}

async fn partitioned_stats(State(shared): Broker, Path((t, n, topic)): Name) -> Result<Json<Value>, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    let count = shared.catalog.partitions(&name);
    if count == 0 {
        return Err(Problem::not_found("the topic is not partitioned"));
    }
    let (mut sum, mut partitions) = (Map::new(), Map::new());
    for index in 0..count {
        let topic = shared.catalog.topic(&name.with_partition(index), Missing::Create).await?;
        let stats = of_topic(&shared, &topic);
        add(&mut sum, &stats);
        partitions.insert(topic.full_name().to_owned(), stats);
    }
    sum.insert("metadata".to_owned(), json!({ "partitions": count, "deleted": false }));
    sum.insert("partitions".to_owned(), Value::Object(partitions));
    Ok(Json(Value::Object(sum)))
}

/// Adds a partition's statistics to a sum: adds numbers, joins lists, and descends into objects. Other values are those
/// of the first partition.
fn add(sum: &mut Map<String, Value>, stats: &Value) {
    let Some(object) = stats.as_object() else { return };
    for (key, value) in object {
        match (sum.get_mut(key), value) {
            (None, _) => {
                sum.insert(key.clone(), value.clone());
            }
            (Some(Value::Number(have)), Value::Number(more)) => {
                let total = match (have.as_u64(), more.as_u64()) {
                    (Some(have), Some(more)) => json!(have + more),
                    _ => json!(have.as_f64().unwrap_or(0.0) + more.as_f64().unwrap_or(0.0)),
                };
                sum.insert(key.clone(), total);
            }
            (Some(Value::Array(have)), Value::Array(more)) => have.extend(more.iter().cloned()),
            (Some(Value::Object(have)), Value::Object(_)) => add(have, value),
            _ => {}
        }
    }
}

fn of_topic(shared: &Shared, topic: &Topic) -> Value {
    let (messages, bytes) = (topic.published.messages(), topic.published.bytes());
    let subscriptions = topic.subscriptions();
    let out: Vec<(u64, u64)> = subscriptions.iter().map(|s| sent(s)).collect();
    let rates = topic.published.rates();
    let rates_out: Vec<Rates> = subscriptions.iter().map(|s| rates_out(&s.lock().dispatcher)).collect();
    let backlog = subscriptions.iter().map(|s| s.lock().dispatcher.cursor().backlog(topic.log().durable_end())).max();
    let entries = topic.log().durable_end().saturating_sub(topic.log().first());
    let stored = topic.log().stored_bytes();
    json!({
        "msgRateIn": rates.messages,
        "msgThroughputIn": rates.bytes,
        "msgRateOut": rates_out.iter().map(|r| r.messages).sum::<f64>(),
        "msgThroughputOut": rates_out.iter().map(|r| r.bytes).sum::<f64>(),
        "bytesInCounter": bytes,
        "msgInCounter": messages,
        "bytesOutCounter": out.iter().map(|o| o.1).sum::<u64>(),
        "msgOutCounter": out.iter().map(|o| o.0).sum::<u64>(),
        "averageMsgSize": average(messages, bytes),
        "msgChunkPublished": topic.has_chunks(),
        "storageSize": stored,
        "backlogSize": stored.checked_div(entries).unwrap_or(0) * backlog.unwrap_or(0),
        "earliestMsgPublishTimeInBacklogs": 0,
        "topicCreationTimeStamp": topic.created_ms(),
        "lastPublishTimestamp": topic.last_publish_ms(),
        "deduplicationStatus": match topic.deduplication() {
            DeduplicationPolicy::Off => "Disabled",
            DeduplicationPolicy::All | DeduplicationPolicy::NamedProducers => "Enabled",
        },
        "msgDeduplicatedCounter": topic.duplicates.messages(),
        "publishers": topic.producers().iter().map(|p| of_producer(p)).collect::<Vec<_>>(),
        "waitingPublishers": 0,
        "subscriptions": subscriptions.iter().map(|s| (s.name().to_owned(), of_subscription(topic, s)))
            .collect::<Map<_, _>>(),
        "replication": {},
        "ownerBroker": shared.http_url().trim_start_matches("http://"),
        "topicEpoch": null,
    })
}

fn rates_out(dispatcher: &Dispatcher) -> Rates {
    dispatcher.consumers().iter().map(|consumer| consumer.rates()).fold(Rates::default(), |sum, rates| Rates {
        messages: sum.messages + rates.messages,
        bytes: sum.bytes + rates.bytes,
    })
}

fn sent(subscription: &Subscription) -> (u64, u64) {
    let core = subscription.lock();
    let consumers = core.dispatcher.consumers();
    (consumers.iter().map(|c| c.message_count()).sum(), consumers.iter().map(|c| c.bytes()).sum())
}

fn average(messages: u64, bytes: u64) -> f64 {
    if messages == 0 { 0.0 } else { bytes as f64 / messages as f64 }
}

fn of_producer(producer: &ProducerHandle) -> Value {
    let (messages, bytes) = (producer.published.messages(), producer.published.bytes());
    let rates = producer.published.rates();
    json!({
        "accessMode": producer.mode.name(),
        "producerId": producer.producer_id,
        "producerName": producer.name,
        "msgRateIn": rates.messages,
        "msgThroughputIn": rates.bytes,
        "averageMsgSize": average(messages, bytes),
        "chunkedMessageRate": 0.0,
        "supportsPartialProducer": false,
        "address": producer.connection.remote,
        "connectedSince": rfc3339(producer.connected_since_ms),
        "clientVersion": producer.connection.client().map(|c| c.version.clone()),
        "metadata": producer.metadata.iter().map(|(k, v)| (k.clone(), json!(v))).collect::<Map<_, _>>(),
    })
}

fn of_subscription(topic: &Topic, subscription: &Subscription) -> Value {
    let core = subscription.lock();
    let dispatcher = &core.dispatcher;
    let backlog = dispatcher.cursor().backlog(topic.log().durable_end());
    let consumers: Vec<Value> = dispatcher
        .consumers()
        .iter()
        .filter_map(|state| core.handles.get(&state.key()).map(|handle| (state, handle)))
        .map(|(state, handle)| {
            json!({
                "consumerName": handle.name,
                "availablePermits": state.permits(),
                "unackedMessages": state.unacked(),
                "blockedConsumerOnUnackedMsgs": state.is_blocked(),
                "msgRateOut": state.rates().messages,
                "msgThroughputOut": state.rates().bytes,
                "msgRateRedeliver": 0.0,
                "msgOutCounter": state.message_count(),
                "bytesOutCounter": state.bytes(),
                "address": handle.connection.remote,
                "connectedSince": rfc3339(handle.connected_since_ms),
                "clientVersion": handle.connection.client().map(|c| c.version.clone()),
                "metadata": handle.metadata.iter().map(|(k, v)| (k.clone(), json!(v))).collect::<Map<_, _>>(),
            })
        })
        .collect();
    let rates = rates_out(dispatcher);
    let active = dispatcher.active().and_then(|key| dispatcher.consumer(key)).map(|c| c.spec().name.clone());
    json!({
        "msgBacklog": backlog,
        "msgBacklogNoDelayed": backlog.saturating_sub(dispatcher.delayed_count() as u64),
        "backlogSize": 0,
        "unackedMessages": dispatcher.unacked(),
        "blockedSubscriptionOnUnackedMsgs": dispatcher.is_blocked(),
        "msgDelayed": dispatcher.delayed_count(),
        "type": if core.handles.is_empty() { Value::Null } else { json!(dispatcher.kind().name()) },
        "activeConsumerName": active,
        "msgRateOut": rates.messages,
        "msgThroughputOut": rates.bytes,
        "msgRateRedeliver": 0.0,
        "msgRateExpired": 0.0,
        "msgOutCounter": dispatcher.consumers().iter().map(|c| c.message_count()).sum::<u64>(),
        "bytesOutCounter": dispatcher.consumers().iter().map(|c| c.bytes()).sum::<u64>(),
        "messageAckRate": 0.0,
        "lastConsumedTimestamp": 0,
        "lastAckedTimestamp": 0,
        "isDurable": subscription.is_durable(),
        "isReplicated": false,
        "subscriptionProperties": subscription.properties(),
        "consumers": consumers,
    })
}

async fn internal_stats(State(shared): Broker, Path((t, n, topic)): Name) -> Result<Json<Value>, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    let topic = shared.catalog.topic(&name, Missing::Refuse).await?;
    let log = topic.log();
    let text = |offset: u64| {
        let id = topic.position_before(offset);
        format!("{}:{}", id.ledger_id.cast_signed(), id.entry_id.cast_signed())
    };
    let (first, end) = (log.first(), log.durable_end());
    let ledgers: Vec<Value> = log
        .segments()
        .iter()
        .map(|s| json!({ "ledgerId": s.ledger, "entries": s.entry_count, "size": s.bytes, "offloaded": false }))
        .collect();
    let current = log.segments().last().copied();
    let mut cursors = Map::new();
    for subscription in topic.subscriptions() {
        let core = subscription.lock();
        let cursor = core.dispatcher.cursor();
        let ranges: Vec<String> =
            cursor.acked_ranges().map(|(s, e)| format!("({}..{}]", text(s), text(e))).take(1_000).collect();
        let read = topic.message_id(core.dispatcher.read_offset());
        cursors.insert(
            subscription.name().to_owned(),
            json!({
                "markDeletePosition": text(cursor.mark_delete()),
                "readPosition": format!("{}:{}", read.ledger_id, read.entry_id),
                "messagesConsumedCounter": core.dispatcher.acked_count(),
                "individuallyDeletedMessages": format!("[{}]", ranges.join(",")),
                "state": "Open",
            }),
        );
    }
    Ok(Json(json!({
        "entriesAddedCounter": topic.published.messages(),
        "numberOfEntries": end.saturating_sub(first),
        "totalSize": log.stored_bytes(),
        "currentLedgerEntries": current.map_or(0, |s| s.entry_count),
        "currentLedgerSize": current.map_or(0, |s| s.bytes),
        "lastConfirmedEntry": text(end),
        "state": "LedgerOpened",
        "ledgers": ledgers,
        "cursors": cursors,
    })))
}
