//! Un límite a las peticiones que se atienden a la vez. A las demás se les contesta 503 enseguida: una cola solo
//! haría llegar tarde a todas.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::Problema;
use super::problema::DEMASIADAS;

/// Los lugares.
#[derive(Debug, Clone)]
pub(crate) struct Limite(Arc<Semaphore>);

impl Limite {
    /// Crea un límite de tantas peticiones.
    pub(crate) fn nuevo(peticiones: usize) -> Limite {
        Limite(Arc::new(Semaphore::new(peticiones.min(Semaphore::MAX_PERMITS))))
    }
}

/// Atiende una petición si hay lugar para ella.
pub(super) async fn limitar(State(limite): State<Limite>, peticion: Request, next: Next) -> Response {
    match limite.0.try_acquire() {
        Ok(_lugar) => next.run(peticion).await,
        Err(_) => Problema::nuevo(StatusCode::SERVICE_UNAVAILABLE, DEMASIADAS).into_response(),
    }
}
