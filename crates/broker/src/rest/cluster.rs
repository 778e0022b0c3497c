//! Brokers, clusters, tenants.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use serde_json::{Value, json};

use super::answer::{Broker, Problem};
use crate::{catalog::Tenant, shared::Shared};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/brokers/health", get(|| async { "ok" }))
        .route("/brokers/version", get(|| async { env!("CARGO_PKG_VERSION") }))
        .route("/brokers", get(brokers))
        .route("/brokers/{cluster}", get(brokers))
        .route("/clusters", get(clusters))
        .route("/clusters/{cluster}", get(cluster))
        .route("/tenants", get(tenants))
        .route("/tenants/{tenant}", get(tenant).put(create_tenant).post(update_tenant).delete(delete_tenant))
}

async fn brokers(State(shared): Broker) -> Json<Vec<String>> {
    Json(vec![shared.http_url().trim_start_matches("http://").to_owned()])
}

async fn clusters(State(shared): Broker) -> Json<Vec<String>> {
    Json(vec![shared.config.cluster.clone()])
}

async fn cluster(State(shared): Broker, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    if name != shared.config.cluster {
        return Err(Problem::not_found("the cluster does not exist"));
    }
    Ok(Json(json!({
        "serviceUrl": shared.http_url(),
        "serviceUrlTls": "",
        "brokerServiceUrl": shared.service_url(),
        "brokerServiceUrlTls": "",
    })))
}

async fn tenants(State(shared): Broker) -> Json<Vec<String>> {
    Json(shared.catalog.tenants().into_keys().collect())
}

async fn tenant(State(shared): Broker, Path(name): Path<String>) -> Result<Json<Tenant>, Problem> {
    let found = shared.catalog.tenants().remove(&name);
    found.map(Json).ok_or_else(|| Problem::not_found("the tenant does not exist"))
}

async fn create_tenant(
    State(shared): Broker,
    Path(name): Path<String>,
    body: Option<Json<Tenant>>,
) -> Result<StatusCode, Problem> {
    if shared.catalog.tenants().contains_key(&name) {
        return Err(Problem::conflict("the tenant exists already"));
    }
    if !is_name(&name) {
        return Err(Problem::precondition("a tenant's name has letters, digits and -=:._ only"));
    }
    shared.catalog.put_tenant(&name, body.map(|Json(tenant)| tenant).unwrap_or_default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn update_tenant(
    State(shared): Broker,
    Path(name): Path<String>,
    Json(tenant): Json<Tenant>,
) -> Result<StatusCode, Problem> {
    if !shared.catalog.tenants().contains_key(&name) {
        return Err(Problem::not_found("the tenant does not exist"));
    }
    shared.catalog.put_tenant(&name, tenant).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_tenant(State(shared): Broker, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    if !shared.catalog.tenants().contains_key(&name) {
        return Err(Problem::not_found("the tenant does not exist"));
    }
    if !shared.catalog.namespaces_of(&name).is_empty() {
        return Err(Problem::conflict("the tenant still has namespaces"));
    }
    shared.catalog.delete_tenant(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns whether a text may name a tenant or a namespace.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-=:._".contains(&b))
}
