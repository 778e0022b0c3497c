//! Refuses what foreign web pages ask, before any route is looked at: the broker asks nobody who they are, so a page
//! that the operator's browser shows must not reach it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use bitacora_origin::{Guard, HostRule, Refusal};

use super::answer::Problem;

/// What monitors ask, by whatever name they found the broker.
const FOR_MONITORS: [&str; 4] = ["/metrics", "/metrics/", "/status.html", "/admin/v2/brokers/health"];

/// Lets a request through, or answers 403 with the reason and the remedy.
pub(super) async fn refuse_foreign_pages(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let rule = if FOR_MONITORS.contains(&request.uri().path()) { HostRule::Any } else { HostRule::Known };
    match guard.check(request.method(), request.uri(), request.headers(), rule) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            tracing::warn!(%refusal, method = %request.method(), path = request.uri().path(), "a request was refused");
            let remedy = match refusal {
                Refusal::Host(_) => {
                    "ask by an address or as localhost, or add the name to broker.http_names (--http-name)"
                }
                _ => "add the page's host to broker.http_names (--http-name) if it is meant to ask",
            };
            Problem(StatusCode::FORBIDDEN, format!("{refusal}; {remedy}")).into_response()
        }
    }
}
