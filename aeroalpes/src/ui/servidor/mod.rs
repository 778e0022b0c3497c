//! Un puerto: la página, los websockets y la API de la propia página.
//!
//! `/` es la página, o un websocket en la forma del tutorial si la petición pide uno; `/ws` es el websocket de la
//! página; `/api/…` son las reservas ([`crate::ui::reenvio`]); `/health` contesta mientras vive el servidor, falte
//! quien falte; lo demás son archivos de la página.

mod pagina;
mod websocket;

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
use tokio_util::sync::CancellationToken;

use crate::http::Api;
use crate::ui::difusion::Difusion;
use crate::ui::estado::Estado;
use crate::ui::reenvio;
use websocket::{Forma, Websockets};

/// El cuerpo más largo de una petición.
const MAX_CUERPO: usize = 16 * 1024;

/// Lo que pueden tardar en terminar las peticiones y los websockets.
const DESPEDIDA: Duration = Duration::from_secs(5);

/// Sirve hasta que `alto` termina; después se lo dice a cada navegador y deja acabar las peticiones.
pub(super) async fn servir(
    escucha: TcpListener,
    difusion: Arc<Difusion>,
    estado: watch::Receiver<Estado>,
    api: Api,
    guardia: Guard,
    alto: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let parar = CancellationToken::new();
    let websockets = Arc::new(Websockets::nuevos(difusion, estado, parar.clone()));
    let rutas = Router::new()
        .route("/", get(raiz))
        .route("/ws", get(websocket_de_la_pagina))
        .route("/health", get(async || Json(json!({"status": "up"}))))
        .fallback(archivo)
        .with_state(Arc::clone(&websockets))
        .nest("/api", reenvio::rutas(api))
        .layer(DefaultBodyLimit::max(MAX_CUERPO))
        .layer(from_fn_with_state(Arc::new(guardia), de_casa));
    let hasta_el_alto = parar.clone().cancelled_owned();
    let sirviendo = tokio::spawn(axum::serve(escucha, rutas).with_graceful_shutdown(hasta_el_alto).into_future());
    alto.await;
    parar.cancel();
    // Un navegador que no contesta no debe retener el final.
    let despedida = async {
        websockets.cerrados().await;
        sirviendo.await
    };
    match tokio::time::timeout(DESPEDIDA, despedida).await {
        Ok(Ok(resultado)) => resultado,
        Ok(Err(error)) => Err(std::io::Error::other(error)),
        Err(_) => Ok(()),
    }
}

/// Deja pasar las peticiones de nuestra página y las que no vienen de ninguna página, si nos llaman por un nombre
/// nuestro. `/health` admite cualquier nombre: un vigilante llama por el que conoce.
async fn de_casa(State(guardia): State<Arc<Guard>>, peticion: Request, next: Next) -> Response {
    let regla = if peticion.uri().path() == "/health" { HostRule::Any } else { HostRule::Known };
    let Err(rechazo) = guardia.check(peticion.method(), peticion.uri(), peticion.headers(), regla) else {
        return pagina::con_reglas(next.run(peticion).await);
    };
    tracing::warn!(%rechazo, "se rechazó una petición de otra página o por un nombre desconocido");
    let texto = match rechazo {
        Refusal::Host(_) => {
            "La página no se conoce por ese nombre; ábrela como localhost o por su dirección, o añade el nombre a \
             AEROALPES_NOMBRES."
        }
        _ => "La petición viene de otra página; abre la de AeroAlpes.",
    };
    pagina::con_reglas((StatusCode::FORBIDDEN, Json(json!({"error": texto}))).into_response())
}

fn pide_websocket(cabeceras: &HeaderMap) -> bool {
    let subida = cabeceras.get(header::UPGRADE).and_then(|valor| valor.to_str().ok());
    subida.is_some_and(|valor| valor.eq_ignore_ascii_case("websocket"))
}

type Subida = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

async fn raiz(State(websockets): State<Arc<Websockets>>, cabeceras: HeaderMap, subida: Subida) -> Response {
    if pide_websocket(&cabeceras) {
        websockets.abrir(subida, Forma::Tutorial)
    } else {
        pagina::archivo("/", &cabeceras)
    }
}

async fn websocket_de_la_pagina(State(websockets): State<Arc<Websockets>>, subida: Subida) -> Response {
    websockets.abrir(subida, Forma::Pagina)
}

async fn archivo(peticion: Request) -> Response {
    if !matches!(*peticion.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    pagina::archivo(peticion.uri().path(), peticion.headers())
}
