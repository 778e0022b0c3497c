//! HTTP lookup.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use serde_json::{Value, json};

use super::answer::{Broker, Problem};
use crate::shared::Shared;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/lookup/v2/topic/{domain}/{tenant}/{namespace}/{topic}", get(lookup))
}

/// Answers a lookup. All keys are always present, because the C++ client reads them without checking.
async fn lookup(
    State(shared): Broker,
    Path((domain, tenant, namespace, topic)): Path<(String, String, String, String)>,
) -> Result<Json<Value>, Problem> {
    shared.catalog.parse(&format!("{domain}://{tenant}/{namespace}/{topic}"))?;
    let url = shared.service_url();
    Ok(Json(json!({
        "brokerUrl": url,
        "brokerUrlTls": "",
        "brokerUrlSsl": "",
        "httpUrl": shared.http_url(),
        "httpUrlTls": "",
        "nativeUrl": url,
    })))
}
