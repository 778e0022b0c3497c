//! The admin REST and HTTP lookup: those of a Pulsar broker's paths and bodies that its clients and tools use.
//!
//! Errors have the body `{"reason": …}`; writes answer 204 without a body. Source of paths and bodies: "Pulsar admin
//! REST API" v2.

mod answer;
mod cluster;
mod guard;
mod lookup;
mod metrics;
mod namespace;
mod schema;
mod stats;
mod topic;

pub use metrics::metrics_page;

use std::sync::Arc;

use axum::{Router, http::StatusCode, middleware};
use bitacora_origin::Guard;
use tokio::{net::TcpListener, sync::watch};

use crate::shared::Shared;
use answer::Problem;

/// Serves requests until the broker stops.
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
