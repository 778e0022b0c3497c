//! One port: page, websockets and the page's own API.
//!
//! `/` is the page, or a socket of the tutorial's form when the request asks for one; `/ws` is the page's socket;
//! `/api/…` are bookings ([`crate::ui::reenvio`]); `/health` answers while the server
//! lives, whoever else is away; everything else is a file of the page.

mod pagina;
mod zocalo;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bitacora_origin::{Guard, HostRule, Refusal};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::ui::difusion::Difusion;
use crate::ui::estado::Estado;
use crate::ui::reenvio::{self, Api};
use pagina::Pagina;
use zocalo::{Forma, Zocalos};

/// Longest body of a request.
const MAX_CUERPO: usize = 16 * 1024;

/// How long requests and sockets may take to end.
const DESPEDIDA: Duration = Duration::from_secs(5);

/// The server and what its handlers share.
#[derive(Debug)]
pub struct Servidor {
    zocalos: Arc<Zocalos>,
    pagina: Arc<Pagina>,
    api: Api,
    guardia: Arc<Guard>,
    alto: watch::Sender<bool>,
}

#[derive(Debug, Clone)]
struct Compartido {
    zocalos: Arc<Zocalos>,
    pagina: Arc<Pagina>,
}

impl Servidor {
    /// Creates it.
    pub fn nuevo(difusion: Arc<Difusion>, estado: watch::Receiver<Estado>, api: Api, guardia: Guard) -> Self {
        let (alto, alto_visto) = watch::channel(false);
        let zocalos = Arc::new(Zocalos::nuevos(difusion, estado, alto_visto));
        Self { zocalos, pagina: Arc::new(Pagina::nueva()), api, guardia: Arc::new(guardia), alto }
    }

    /// Serves until `alto` is ready, then says so to every browser and lets requests end.
    ///
    /// # Errors
    /// The listener fails for good.
    pub async fn servir(self, listener: TcpListener, alto: impl Future<Output = ()>) -> std::io::Result<()> {
        let compartido = Compartido { zocalos: Arc::clone(&self.zocalos), pagina: self.pagina };
        let rutas = Router::new()
            .route("/", get(raiz))
            .route("/ws", get(zocalo_de_la_pagina))
            .route("/health", get(async || Json(json!({"status": "up"}))))
            .fallback(archivo)
            .with_state(compartido)
            .nest("/api", reenvio::rutas(self.api))
            .layer(DefaultBodyLimit::max(MAX_CUERPO))
            .layer(from_fn_with_state(self.guardia, de_casa));
        let mut visto = self.alto.subscribe();
        let hasta_el_alto = async move {
            let _ = visto.wait_for(|alto| *alto).await;
        };
        let serving = tokio::spawn(axum::serve(listener, rutas).with_graceful_shutdown(hasta_el_alto).into_future());
        alto.await;
        let _ = self.alto.send(true);
        // A browser that does not answer must not hold back the end.
        let despedida = async {
            self.zocalos.cerrados().await;
            serving.await
        };
        match tokio::time::timeout(DESPEDIDA, despedida).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Err(std::io::Error::other(error)),
            Err(_) => Ok(()),
        }
    }
}

/// Las peticiones vienen de nuestra página o de ninguna, y nos llaman por un nombre nuestro. Un vigilante puede llamar a `/health`
/// por el que encuentre.
async fn de_casa(State(guardia): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let regla = if request.uri().path() == "/health" { HostRule::Any } else { HostRule::Known };
    let Err(rechazo) = guardia.check(request.method(), request.uri(), request.headers(), regla) else {
        return pagina::con_reglas(next.run(request).await);
    };
    tracing::warn!(%rechazo, "a request of a foreign page or under an unknown name was refused");
    let texto = match rechazo {
        Refusal::Host(_) => {
            "La página no se conoce por ese nombre; ábrela como localhost o por su dirección, o añade el nombre a AEROALPES_NOMBRES."
        }
        _ => "La petición viene de otra página; abre la de AeroAlpes.",
    };
    pagina::con_reglas((StatusCode::FORBIDDEN, Json(json!({"error": texto}))).into_response())
}

fn pide_zocalo(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|valor| valor.to_str().ok());
    upgrade.is_some_and(|valor| valor.eq_ignore_ascii_case("websocket"))
}

type Subida = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

async fn raiz(State(compartido): State<Compartido>, headers: HeaderMap, subida: Subida) -> Response {
    if pide_zocalo(&headers) {
        return compartido.zocalos.abrir(subida, Forma::Tutorial);
    }
    compartido.pagina.archivo("/", &headers)
}

async fn zocalo_de_la_pagina(State(compartido): State<Compartido>, subida: Subida) -> Response {
    compartido.zocalos.abrir(subida, Forma::Pagina)
}

async fn archivo(State(compartido): State<Compartido>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    compartido.pagina.archivo(request.uri().path(), request.headers())
}
