//! Topics, partitions, subscriptions.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post, put},
};
use bitacora_pulsar_wire::proto::MessageIdData;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Broker, Problem, topic_name};
use crate::{
    catalog::Missing,
    shared::Shared,
    topic::{StartAt, Subscription, Topic},
};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/persistent/{tenant}/{namespace}", get(list))
        .route("/persistent/{tenant}/{namespace}/partitioned", get(list_partitioned))
        .route("/non-persistent/{tenant}/{namespace}", get(list_none))
        .route("/non-persistent/{tenant}/{namespace}/partitioned", get(list_none))
        .route("/persistent/{tenant}/{namespace}/{topic}", put(create).delete(delete))
        .route(
            "/persistent/{tenant}/{namespace}/{topic}/partitions",
            get(partitions).put(create_partitions).post(raise_partitions).delete(delete_partitions),
        )
        .route("/persistent/{tenant}/{namespace}/{topic}/unload", put(unload))
        .route("/persistent/{tenant}/{namespace}/{topic}/lastMessageId", get(last_message_id))
        .route("/persistent/{tenant}/{namespace}/{topic}/messageid/{time_ms}", get(message_id_at))
        .route("/persistent/{tenant}/{namespace}/{topic}/subscriptions", get(subscriptions))
        .route(
            "/persistent/{tenant}/{namespace}/{topic}/subscription/{subscription}",
            put(create_subscription).delete(delete_subscription),
        )
        .route(
            "/persistent/{tenant}/{namespace}/{topic}/subscription/{subscription}/resetcursor/{time_ms}",
            post(reset_to_time),
        )
        .route("/persistent/{tenant}/{namespace}/{topic}/subscription/{subscription}/resetcursor", post(reset_to_id))
        .route("/persistent/{tenant}/{namespace}/{topic}/subscription/{subscription}/skip_all", post(skip_all))
}

type Namespace = Path<(String, String)>;
type Name = Path<(String, String, String)>;
type SubscriptionName = Path<(String, String, String, String)>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeleteOptions {
    force: bool,
    delete_schema: bool,
}

/// A message id in a request's body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageIdBody {
    ledger_id: i64,
    entry_id: i64,
}

impl MessageIdBody {
    fn start(&self) -> StartAt {
        StartAt::Id(MessageIdData {
            ledger_id: self.ledger_id.cast_unsigned(),
            entry_id: self.entry_id.cast_unsigned(),
            ..MessageIdData::default()
        })
    }
}

async fn list(State(shared): Broker, Path((t, n)): Namespace) -> Result<Json<Vec<String>>, Problem> {
    require(&shared, &t, &n)?;
    Ok(Json(shared.catalog.topics_of(&format!("{t}/{n}"))))
}

async fn list_partitioned(State(shared): Broker, Path((t, n)): Namespace) -> Result<Json<Vec<String>>, Problem> {
    require(&shared, &t, &n)?;
    Ok(Json(shared.catalog.partitioned_of(&format!("{t}/{n}"))))
}

async fn list_none(State(shared): Broker, Path((t, n)): Namespace) -> Result<Json<Vec<String>>, Problem> {
    require(&shared, &t, &n)?;
    Ok(Json(Vec::new()))
}

fn require(shared: &Shared, tenant: &str, namespace: &str) -> Result<(), Problem> {
    let found = shared.catalog.namespace(&format!("{tenant}/{namespace}"));
    found.map(|_| ()).ok_or_else(|| Problem::not_found("the namespace does not exist"))
}

async fn create(State(shared): Broker, Path((t, n, topic)): Name) -> Result<StatusCode, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    if shared.catalog.exists(&name) {
        return Err(Problem::conflict("the topic exists already"));
    }
    shared.catalog.topic(&name, Missing::Create).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete(
    State(shared): Broker,
    Path((t, n, topic)): Name,
    Query(options): Query<DeleteOptions>,
) -> Result<StatusCode, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    if shared.catalog.partitions(&name) > 0 {
        return Err(Problem::conflict("the topic is partitioned; delete its partitions"));
    }
    let topic = shared.catalog.topic(&name, Missing::Refuse).await?;
    if topic.is_in_use() && !options.force {
        return Err(Problem::precondition("the topic has connected producers or consumers"));
    }
    shared.catalog.delete_topic(&name).await?;
    if options.delete_schema {
        shared.catalog.delete_schema(&name).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn partitions(State(shared): Broker, Path((t, n, topic)): Name) -> Result<Json<Value>, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    Ok(Json(json!({ "partitions": shared.catalog.partitions(&name), "properties": {} })))
}

async fn create_partitions(
    State(shared): Broker,
    Path((t, n, topic)): Name,
    body: String,
) -> Result<StatusCode, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    let count = count(&body)?;
    if shared.catalog.exists(&name) {
        return Err(Problem::conflict("the topic exists already"));
    }
    shared.catalog.set_partitions(&name, count).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn raise_partitions(
    State(shared): Broker,
    Path((t, n, topic)): Name,
    body: String,
) -> Result<StatusCode, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    let (count, before) = (count(&body)?, shared.catalog.partitions(&name));
    if before == 0 {
        return Err(Problem::conflict("the topic is not partitioned"));
    }
    if count <= before {
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, format!("the topic has {before} partitions already")));
    }
    shared.catalog.set_partitions(&name, count).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_partitions(
    State(shared): Broker,
    Path((t, n, topic)): Name,
    Query(options): Query<DeleteOptions>,
) -> Result<StatusCode, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    let count = shared.catalog.partitions(&name);
    if count == 0 {
        return Err(Problem::not_found("the topic is not partitioned"));
    }
    let partitions = || (0..count).map(|index| name.with_partition(index)).filter(|p| shared.catalog.exists(p));
    for partition in partitions() {
        if shared.catalog.topic(&partition, Missing::Refuse).await?.is_in_use() && !options.force {
            return Err(Problem::precondition(format!("{partition} has connected producers or consumers")));
        }
    }
    for partition in partitions() {
        shared.catalog.delete_topic(&partition).await?;
    }
    shared.catalog.forget_partitions(&name).await?;
    if options.delete_schema {
        shared.catalog.delete_schema(&name).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn count(body: &str) -> Result<u32, Problem> {
    body.trim().parse().map_err(|_| Problem::bad_request("the body must be the number of partitions"))
}

async fn unload(State(shared): Broker, Path((t, n, topic)): Name) -> Result<StatusCode, Problem> {
    for topic in topics(&shared, &t, &n, &topic).await? {
        topic.unload();
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn last_message_id(State(shared): Broker, Path((t, n, topic)): Name) -> Result<Json<Value>, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    let topic = shared.catalog.topic(&name, Missing::Refuse).await?;
    Ok(Json(id_body(&topic.last_message_id().await?)))
}

async fn message_id_at(
    State(shared): Broker,
    Path((t, n, topic, time_ms)): Path<(String, String, String, u64)>,
) -> Result<Json<Value>, Problem> {
    let name = topic_name(&shared, &t, &n, &topic)?;
    let topic = shared.catalog.topic(&name, Missing::Refuse).await?;
    let offset = topic.log().offset_at_time(time_ms).await.map_err(crate::refused::Refused::from)?;
    Ok(Json(id_body(&topic.message_id(offset))))
}

fn id_body(id: &MessageIdData) -> Value {
    let (ledger, entry) = (id.ledger_id.cast_signed(), id.entry_id.cast_signed());
    json!({ "ledgerId": ledger, "entryId": entry, "partitionIndex": id.partition() })
}

async fn subscriptions(State(shared): Broker, Path((t, n, topic)): Name) -> Result<Json<Vec<String>>, Problem> {
    let mut names = std::collections::BTreeSet::new();
    for topic in topics(&shared, &t, &n, &topic).await? {
        names.extend(topic.subscriptions().iter().map(|s| s.name().to_owned()));
    }
    Ok(Json(names.into_iter().collect()))
}

async fn create_subscription(
    State(shared): Broker,
    Path((t, n, topic, subscription)): SubscriptionName,
    body: Option<Json<MessageIdBody>>,
) -> Result<StatusCode, Problem> {
    let start = body.map_or(StartAt::Latest, |Json(body)| body.start());
    let mut is_new = false;
    for topic in topics(&shared, &t, &n, &topic).await? {
        is_new |= topic.create_subscription(&subscription, start.clone(), HashMap::new()).await?;
    }
    if is_new { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::conflict("the subscription exists already")) }
}

async fn delete_subscription(
    State(shared): Broker,
    Path((t, n, topic, subscription)): SubscriptionName,
    Query(options): Query<DeleteOptions>,
) -> Result<StatusCode, Problem> {
    for (topic, subscription) in found(&shared, &t, &n, &topic, &subscription).await? {
        if !options.force && subscription.idle_since_ms().is_none() {
            return Err(Problem::precondition("the subscription has connected consumers"));
        }
        topic.delete_subscription(&subscription).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn reset_to_time(
    State(shared): Broker,
    Path((t, n, topic, subscription, time_ms)): Path<(String, String, String, String, u64)>,
) -> Result<StatusCode, Problem> {
    for (topic, subscription) in found(&shared, &t, &n, &topic, &subscription).await? {
        topic.seek(&subscription, &StartAt::Time(time_ms)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn reset_to_id(
    State(shared): Broker,
    Path((t, n, topic, subscription)): SubscriptionName,
    Json(body): Json<MessageIdBody>,
) -> Result<StatusCode, Problem> {
    for (topic, subscription) in found(&shared, &t, &n, &topic, &subscription).await? {
        topic.seek(&subscription, &body.start()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn skip_all(
    State(shared): Broker,
    Path((t, n, topic, subscription)): SubscriptionName,
) -> Result<StatusCode, Problem> {
    for (topic, subscription) in found(&shared, &t, &n, &topic, &subscription).await? {
        subscription.lock().dispatcher.skip_to(topic.log().durable_end());
        subscription.mark_dirty();
        subscription.wake();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the topic, or all partitions of a partitioned topic.
async fn topics(shared: &Shared, tenant: &str, namespace: &str, topic: &str) -> Result<Vec<Arc<Topic>>, Problem> {
    let name = topic_name(shared, tenant, namespace, topic)?;
    let count = shared.catalog.partitions(&name);
    if count == 0 {
        return Ok(vec![shared.catalog.topic(&name, Missing::Refuse).await?]);
    }
    let mut topics = Vec::new();
    for index in 0..count {
        topics.push(shared.catalog.topic(&name.with_partition(index), Missing::Create).await?);
    }
    Ok(topics)
}

async fn found(
    shared: &Shared,
    tenant: &str,
    namespace: &str,
    topic: &str,
    subscription: &str,
) -> Result<Vec<(Arc<Topic>, Arc<Subscription>)>, Problem> {
    let topics = topics(shared, tenant, namespace, topic).await?;
    let found: Vec<_> = topics.into_iter().filter_map(|t| t.subscription(subscription).map(|s| (t, s))).collect();
    if found.is_empty() { Err(Problem::not_found("the subscription does not exist")) } else { Ok(found) }
}
