//! Page and websocket of AeroAlpes from one port.
//!
//! - `servidor`: the page, the websockets and their rules.
//! - `lectura`: readers of the event topic and of the change topics, from messages to what a browser gets.
//! - `difusion`: every browser gets everything; what a new one gets first.
//! - `reenvio`: bookings of the page, forwarded to the API.
//! - `estado`: whether broker and API are there.
//!
//! Life cycle: [`servir`] listens first and keeps serving while broker and API come and go; when it is told to end it
//! says so to every browser, waits for them a moment and returns.

mod difusion;
mod error;
mod estado;
mod lectura;
mod reenvio;
mod servidor;

use std::future::Future;
use std::sync::Arc;

use crate::contrato::direccion::Broker;
use bitacora_origin::Guard;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use difusion::Difusion;
pub use error::Error;
use estado::Estado;
use lectura::Lectura;
use reenvio::Api;
use servidor::Servidor;

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Opciones {
    /// Address to listen on, `host:port`; port 0 takes a free one.
    pub escuchar: String,
    /// Nombres por los que se llama a la página, además de `localhost` y de direcciones.
    pub nombres: Vec<String>,
    /// The broker.
    pub broker: Broker,
    /// Base URL of the API.
    pub api: String,
    /// What the topics of change events begin with, before the first dot.
    pub prefijo: String,
}

/// Serves page and websockets until `alto` is ready. Prints the address once it listens.
///
/// # Errors
/// The address cannot be used, or an option is wrong. A broker or an API that is away is no error.
pub async fn servir(opciones: Opciones, alto: impl Future<Output = ()>) -> Result<(), Error> {
    let difusion = Arc::new(Difusion::nueva());
    let (estado, estado_visto) = watch::channel(Estado::default());
    let lectura = Lectura::nueva(&opciones, Arc::clone(&difusion), estado.clone())?;
    let api = Api::nueva(&opciones.api)?;
    let guardia = Guard::new(&opciones.nombres)?;
    let fallo = |source| Error::Escuchar { direccion: opciones.escuchar.clone(), source };
    let listener = TcpListener::bind(&opciones.escuchar).await.map_err(fallo)?;
    println!("aeroalpes ui: http://{}", listener.local_addr().map_err(fallo)?);

    let mut tareas = JoinSet::new();
    tareas.spawn(lectura.seguir());
    tareas.spawn(estado::vigilar_api(api.clone(), estado));
    let outcome = Servidor::nuevo(difusion, estado_visto, api, guardia).servir(listener, alto).await.map_err(fallo);
    tareas.shutdown().await;
    outcome
}
