//! The admin REST and HTTP lookup.

pub(crate) mod time;

use std::sync::Arc;

use axum::{Router, routing::get};
use tokio::{net::TcpListener, sync::watch};

use crate::broker::Shared;

/// Serves until the broker stops.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    let router = Router::new().route("/admin/v2/brokers/health", get(|| async { "ok" })).with_state(shared);
    let served = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = stopped.changed().await;
    });
    if let Err(error) = served.await {
        tracing::error!(%error, "the admin REST ended");
    }
}
