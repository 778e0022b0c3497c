//! Namespaces and their policies.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post, put},
};
use serde_json::Value;

use super::{
    answer::{Broker, Problem},
    cluster::is_name,
};
use crate::{catalog::NamespacePolicies, schema::Strategy, shared::Shared};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/namespaces/{tenant}", get(list))
        .route("/namespaces/{tenant}/{namespace}", get(policies).put(create).delete(delete))
        .route("/namespaces/{tenant}/{namespace}/topics", get(topics))
        .route("/namespaces/{tenant}/{namespace}/unload", put(unload))
        .route(
            "/namespaces/{tenant}/{namespace}/deduplication",
            post(set_deduplication).get(deduplication).delete(reset_deduplication),
        )
        .route(
            "/namespaces/{tenant}/{namespace}/schemaCompatibilityStrategy",
            put(set_strategy).post(set_strategy).get(strategy),
        )
        .route(
            "/namespaces/{tenant}/{namespace}/{policy}",
            post(set_other).put(set_other).get(other).delete(reset_other),
        )
}

type Name = Path<(String, String)>;

fn find(shared: &Shared, Path((tenant, namespace)): &Name) -> Result<(String, NamespacePolicies), Problem> {
    let name = format!("{tenant}/{namespace}");
    let policies = shared.catalog.namespace(&name);
    policies.map(|policies| (name, policies)).ok_or_else(|| Problem::not_found("the namespace does not exist"))
}

async fn list(State(shared): Broker, Path(tenant): Path<String>) -> Result<Json<Vec<String>>, Problem> {
    if !shared.catalog.tenants().contains_key(&tenant) {
        return Err(Problem::not_found("the tenant does not exist"));
    }
    Ok(Json(shared.catalog.namespaces_of(&tenant)))
}

async fn policies(State(shared): Broker, name: Name) -> Result<Json<NamespacePolicies>, Problem> {
    Ok(Json(find(&shared, &name)?.1))
}

async fn create(
    State(shared): Broker,
    Path((tenant, namespace)): Name,
    body: Option<Json<NamespacePolicies>>,
) -> Result<StatusCode, Problem> {
    let name = format!("{tenant}/{namespace}");
    if !shared.catalog.tenants().contains_key(&tenant) {
        return Err(Problem::not_found("the tenant does not exist"));
    }
    if shared.catalog.namespace(&name).is_some() {
        return Err(Problem::conflict("the namespace exists already"));
    }
    if !is_name(&namespace) {
        return Err(Problem::precondition("a namespace's name has letters, digits and -=:._ only"));
    }
    shared.catalog.put_namespace(&name, body.map(|Json(policies)| policies).unwrap_or_default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete(State(shared): Broker, name: Name) -> Result<StatusCode, Problem> {
    let (name, _) = find(&shared, &name)?;
    if !shared.catalog.topics_of(&name).is_empty() {
        return Err(Problem::conflict("the namespace still has topics"));
    }
    shared.catalog.delete_namespace(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn topics(State(shared): Broker, name: Name) -> Result<Json<Vec<String>>, Problem> {
    let (name, _) = find(&shared, &name)?;
    Ok(Json(shared.catalog.topics_of(&name)))
}

async fn unload(State(shared): Broker, name: Name) -> Result<StatusCode, Problem> {
    let (name, _) = find(&shared, &name)?;
    for topic in shared.catalog.open_topics() {
        if topic.name().full_namespace() == name {
            topic.unload();
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn set_deduplication(State(shared): Broker, name: Name, Json(on): Json<bool>) -> Result<StatusCode, Problem> {
    let (name, policies) = find(&shared, &name)?;
    let changed = NamespacePolicies { deduplication_enabled: Some(on), ..policies };
    shared.catalog.put_namespace(&name, changed).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn deduplication(State(shared): Broker, name: Name) -> Result<Json<Option<bool>>, Problem> {
    Ok(Json(find(&shared, &name)?.1.deduplication_enabled))
}

async fn reset_deduplication(State(shared): Broker, name: Name) -> Result<StatusCode, Problem> {
    let (name, policies) = find(&shared, &name)?;
    let changed = NamespacePolicies { deduplication_enabled: None, ..policies };
    shared.catalog.put_namespace(&name, changed).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_strategy(State(shared): Broker, name: Name, Json(text): Json<String>) -> Result<StatusCode, Problem> {
    let (name, policies) = find(&shared, &name)?;
    if Strategy::parse(&text).is_none() && text != "UNDEFINED" {
        return Err(Problem::precondition(format!("\"{text}\" is no schema compatibility strategy")));
    }
    let changed = NamespacePolicies { schema_compatibility_strategy: Some(text), ..policies };
    shared.catalog.put_namespace(&name, changed).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn strategy(State(shared): Broker, name: Name) -> Result<Json<String>, Problem> {
    let (_, policies) = find(&shared, &name)?;
    Ok(Json(policies.schema_compatibility_strategy.unwrap_or_else(|| "UNDEFINED".to_owned())))
}

/// Policies that have an effect only in a Pulsar cluster. They are stored, so that tools read back what they wrote.
const KEPT: [&str; 14] = [
    "retention",
    "messageTTL",
    "backlogQuota",
    "persistence",
    "autoTopicCreation",
    "autoSubscriptionCreation",
    "permissions",
    "compactionThreshold",
    "delayedDelivery",
    "subscriptionExpirationTime",
    "maxUnackedMessagesPerConsumer",
    "maxUnackedMessagesPerSubscription",
    "schemaValidationEnforced",
    "replication",
];

type Policy = Path<(String, String, String)>;

fn find_other(shared: &Shared, Path((t, n, policy)): Policy) -> Result<(String, NamespacePolicies, String), Problem> {
    let (name, policies) = find(shared, &Path((t, n)))?;
    if !KEPT.contains(&policy.as_str()) {
        return Err(Problem::not_found(format!("the policy \"{policy}\" is not served")));
    }
    Ok((name, policies, policy))
}

async fn set_other(State(shared): Broker, path: Policy, Json(value): Json<Value>) -> Result<StatusCode, Problem> {
    let (name, mut policies, policy) = find_other(&shared, path)?;
    tracing::warn!(namespace = name, policy, "the policy is kept but has no effect in this broker");
    policies.other.insert(policy, value);
    shared.catalog.put_namespace(&name, policies).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn other(State(shared): Broker, path: Policy) -> Result<Json<Value>, Problem> {
    let (_, policies, policy) = find_other(&shared, path)?;
    Ok(Json(policies.other.get(&policy).cloned().unwrap_or(Value::Null)))
}

async fn reset_other(State(shared): Broker, path: Policy) -> Result<StatusCode, Problem> {
    let (name, mut policies, policy) = find_other(&shared, path)?;
    policies.other.remove(&policy);
    shared.catalog.put_namespace(&name, policies).await?;
    Ok(StatusCode::NO_CONTENT)
}
