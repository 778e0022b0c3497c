//! The admin REST and HTTP lookup: paths and bodies of a Pulsar broker's, as far as its clients and tools use them.
//!
//! Errors are `{"reason": …}`; writes answer 204 without a body. Source of paths and shapes: "Pulsar admin REST API" v2.

mod cluster;
mod guard;
mod label;
mod lookup;
mod metrics;
mod namespace;
mod schema;
mod stats;
pub(crate) mod time;
mod topic;

pub use metrics::metrics_page;

use std::sync::Arc;

use axum::{
    Json, Router,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
};
use bitacora_origin::Guard;
use bitacora_pulsar_wire::{TopicName, proto::ServerError};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};

use crate::{broker::Shared, topic::Refused};

/// What handlers get.
type Broker = axum::extract::State<Arc<Shared>>;

/// Serves until the broker stops.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    guard: Guard,
    listener: TcpListener,
    mut stopped: watch::Receiver<bool>,
) {
    let served = axum::serve(listener, router(shared, guard)).with_graceful_shutdown(async move {
        let _ = stopped.changed().await;
    });
    if let Err(error) = served.await {
        tracing::error!(%error, "the admin REST ended");
    }
}

fn router(shared: Arc<Shared>, guard: Guard) -> Router {
    let admin = Router::new()
        .merge(cluster::routes())
        .merge(namespace::routes())
        .merge(topic::routes())
        .merge(stats::routes())
        .merge(schema::routes());
    Router::new()
        .nest("/admin/v2", admin)
        .merge(lookup::routes())
        .merge(metrics::routes())
        .fallback(|| async { Problem::not_found("this path is not served") })
        .method_not_allowed_fallback(|| async {
            Problem(StatusCode::METHOD_NOT_ALLOWED, "this method is not served here".to_owned())
        })
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::refuse_foreign_pages))
        .with_state(shared)
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem(StatusCode, String);

impl Problem {
    fn not_found(reason: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, reason.into())
    }

    fn conflict(reason: impl Into<String>) -> Self {
        Self(StatusCode::CONFLICT, reason.into())
    }

    fn precondition(reason: impl Into<String>) -> Self {
        Self(StatusCode::PRECONDITION_FAILED, reason.into())
    }

    fn bad_request(reason: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "reason": self.1 }))).into_response()
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused.code {
            ServerError::TopicNotFound | ServerError::SubscriptionNotFound => StatusCode::NOT_FOUND,
            ServerError::InvalidTopicName | ServerError::NotAllowedError => StatusCode::PRECONDITION_FAILED,
            ServerError::IncompatibleSchema | ServerError::ConsumerBusy => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, refused.message)
    }
}

/// Parses the parts of a topic's path.
fn topic_name(shared: &Shared, tenant: &str, namespace: &str, topic: &str) -> Result<TopicName, Problem> {
    Ok(shared.catalog.parse(&format!("persistent://{tenant}/{namespace}/{topic}"))?)
}
