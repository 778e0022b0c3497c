//! A bound on the requests that are answered at a time. Beyond it the answer is 503 at once: a queue would only make everybody
//! late.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::Problema;
use super::problema::DEMASIADAS;

/// The places.
#[derive(Debug, Clone)]
pub struct Limite(Arc<Semaphore>);

impl Limite {
    /// Creates a bound of so many requests.
    pub fn nuevo(peticiones: usize) -> Limite {
        Limite(Arc::new(Semaphore::new(peticiones.min(Semaphore::MAX_PERMITS))))
    }
}

/// Answers a request if there is a place for it.
pub(super) async fn limitar(State(limite): State<Limite>, request: Request, next: Next) -> Response {
    match limite.0.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => Problema::nuevo(StatusCode::SERVICE_UNAVAILABLE, DEMASIADAS).into_response(),
    }
}
