//! Refuses requests of foreign web pages before they reach a route. The broker has no authentication, so a page in the
//! operator's browser must not be able to use it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use bitacora_origin::{Guard, HostRule, Refusal};

use super::answer::Problem;

/// Paths for monitors, which may use any host name.
const FOR_MONITORS: [&str; 4] = ["/metrics", "/metrics/", "/status.html", "/admin/v2/brokers/health"];

/// Lets a request through, or answers 403 with the reason and the remedy.
pub(super) async fn refuse_foreign_pages(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let rule = if FOR_MONITORS.contains(&request.uri().path()) { HostRule::Any } else { HostRule::Known };
    match guard.check(request.method(), request.uri(), request.headers(), rule) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            tracing::warn!(%refusal, method = %request.method(), path = request.uri().path(), "a request was refused");
            let remedy = match refusal {
                Refusal::Host(_) => "use an address or localhost, or add the name to broker.http_names (--http-name)",
                _ => "add the page's host to broker.http_names (--http-name) if the page may use the broker",
            };
            Problem(StatusCode::FORBIDDEN, format!("{refusal}; {remedy}")).into_response()
        }
    }
}
