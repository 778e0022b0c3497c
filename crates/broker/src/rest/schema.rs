//! Schemas.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use bitacora_pulsar_wire::TopicName;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Broker, Problem, topic_name};
use crate::{
    schema::{SchemaInfo, SchemaKind, SchemaVersion},
    shared::Shared,
};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/schemas/{tenant}/{namespace}/{topic}/schema", get(latest).post(register).delete(delete))
        .route("/schemas/{tenant}/{namespace}/{topic}/schema/{version}", get(version))
        .route("/schemas/{tenant}/{namespace}/{topic}/schemas", get(all))
        .route("/schemas/{tenant}/{namespace}/{topic}/compatibility", post(compatibility))
        .route("/schemas/{tenant}/{namespace}/{topic}/version", post(find_version))
}

type Name = Path<(String, String, String)>;

/// A schema as tools post it.
#[derive(Debug, Deserialize)]
struct Posted {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    schema: String,
    #[serde(default)]
    properties: Map<String, Value>,
}

async fn latest(State(shared): Broker, path: Name) -> Result<Json<Value>, Problem> {
    let history = shared.catalog.schema_history(&name(&shared, path)?).await?;
    history.latest().map(|v| Json(body(v))).ok_or_else(|| Problem::not_found("the topic has no schema"))
}

async fn version(
    State(shared): Broker,
    Path((t, n, topic, version)): Path<(String, String, String, u64)>,
) -> Result<Json<Value>, Problem> {
    let history = shared.catalog.schema_history(&topic_name(&shared, &t, &n, &topic)?).await?;
    let found = history.get(version).map(|v| Json(body(v)));
    found.ok_or_else(|| Problem::not_found("the topic has no such schema version"))
}

async fn all(State(shared): Broker, path: Name) -> Result<Json<Value>, Problem> {
    let history = shared.catalog.schema_history(&name(&shared, path)?).await?;
    let bodies: Vec<Value> = history.versions().iter().map(body).collect();
    Ok(Json(json!({ "getSchemaResponses": bodies })))
}

async fn register(State(shared): Broker, path: Name, Json(posted): Json<Posted>) -> Result<Json<Value>, Problem> {
    let version = shared.catalog.register_schema(&name(&shared, path)?, &info(posted)?).await?;
    Ok(Json(json!({ "version": { "version": version } })))
}

async fn delete(State(shared): Broker, path: Name) -> Result<Json<Value>, Problem> {
    let last = shared.catalog.delete_schema(&name(&shared, path)?).await?;
    Ok(Json(json!({ "version": { "version": last } })))
}

async fn compatibility(State(shared): Broker, path: Name, Json(posted): Json<Posted>) -> Result<Json<Value>, Problem> {
    let name = name(&shared, path)?;
    let strategy = shared.catalog.schema_strategy(&name.full_namespace());
    let outcome = shared.catalog.schema_history(&name).await?.check(&info(posted)?, strategy);
    Ok(Json(json!({ "compatibility": outcome.is_ok(), "schemaCompatibilityStrategy": strategy.name() })))
}

async fn find_version(State(shared): Broker, path: Name, Json(posted): Json<Posted>) -> Result<Json<Value>, Problem> {
    let history = shared.catalog.schema_history(&name(&shared, path)?).await?;
    let found = history.find(&info(posted)?);
    found.map(|v| Json(json!({ "version": v }))).ok_or_else(|| Problem::not_found("the topic has no such schema"))
}

fn name(shared: &Shared, Path((t, n, topic)): Name) -> Result<TopicName, Problem> {
    topic_name(shared, &t, &n, &topic)
}

fn body(version: &SchemaVersion) -> Value {
    let info = &version.info;
    json!({
        "version": version.version,
        "type": info.kind.name(),
        "timestamp": version.timestamp_ms,
        "data": definition(info),
        "properties": info.properties.iter().map(|(k, v)| (k.clone(), json!(v))).collect::<Map<_, _>>(),
    })
}

/// Returns a schema's definition: for KeyValue a JSON text with both halves, otherwise the definition itself.
fn definition(info: &SchemaInfo) -> String {
    let text = |data: &[u8]| String::from_utf8_lossy(data).into_owned();
    match info.key_value().filter(|_| info.kind == SchemaKind::KEY_VALUE) {
        Some((key, value)) => json!({ "key": half(&key), "value": half(&value) }).to_string(),
        None => text(&info.data),
    }
}

fn half(info: &SchemaInfo) -> Value {
    let parsed = serde_json::from_slice(&info.data);
    parsed.unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&info.data).into_owned()))
}

fn info(posted: Posted) -> Result<SchemaInfo, Problem> {
    let unprocessable = |reason: &str| Problem(axum::http::StatusCode::UNPROCESSABLE_ENTITY, reason.to_owned());
    let kind = SchemaKind::parse(&posted.kind).ok_or_else(|| unprocessable("the schema type is unknown"))?;
    let data = if kind == SchemaKind::KEY_VALUE {
        join(&posted.schema).ok_or_else(|| unprocessable("a KEY_VALUE schema is a JSON object with key and value"))?
    } else {
        posted.schema.into_bytes()
    };
    let value = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(SchemaInfo {
        name: String::new(),
        kind,
        data,
        properties: posted.properties.into_iter().map(|(k, v)| (k, value(v))).collect(),
    })
}

fn join(text: &str) -> Option<Vec<u8>> {
    let object: Value = serde_json::from_str(text).ok()?;
    let half = |name: &str| -> Option<Vec<u8>> {
        match object.get(name)? {
            Value::String(text) => Some(text.clone().into_bytes()),
            other => Some(other.to_string().into_bytes()),
        }
    };
    Some(bitacora_pulsar_wire::schema::join_key_value(&half("key")?, &half("value")?).to_vec())
}
