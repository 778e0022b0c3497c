//! La página y el websocket de AeroAlpes en un solo puerto.
//!
//! - `servidor`: la página, los websockets y sus reglas.
//! - `lectura`: lectores del tema de eventos y de los temas de cambios, de mensajes a lo que recibe un navegador.
//! - `difusion`: cada navegador recibe todo; lo que uno nuevo recibe primero.
//! - `reenvio`: las reservas de la página, reenviadas a la API.
//! - `estado`: si están el *broker* y la API.
//!
//! Ciclo de vida: [`servir`] primero escucha, y sirve mientras el *broker* y la API van y vienen; cuando se le pide
//! que termine se lo dice a cada navegador, los espera un momento y vuelve.

mod difusion;
mod error;
mod estado;
mod lectura;
mod opciones;
mod reenvio;
mod servidor;

use std::future::Future;
use std::sync::Arc;

use bitacora_origin::Guard;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use difusion::Difusion;
pub use error::Error;
use estado::Estado;
use lectura::Lectura;
pub use opciones::Opciones;
use reenvio::Api;
use servidor::Servidor;

/// Sirve la página y los websockets hasta que `alto` termina. Imprime la dirección en cuanto escucha.
///
/// # Errors
/// La dirección no sirve, o una opción está mal. Que no estén el *broker* o la API no es un error.
pub async fn servir(opciones: Opciones, alto: impl Future<Output = ()>) -> Result<(), Error> {
    let difusion = Arc::new(Difusion::nueva());
    let (estado, estado_visto) = watch::channel(Estado::default());
    let lectura = Lectura::nueva(&opciones, Arc::clone(&difusion), estado.clone())?;
    let api = Api::nueva(&opciones.api)?;
    let guardia = Guard::new(&opciones.nombres)?;
    let fallo = |source| Error::Escuchar { direccion: opciones.escuchar.clone(), source };
    let escucha = TcpListener::bind(&opciones.escuchar).await.map_err(fallo)?;
    println!("aeroalpes ui: http://{}", escucha.local_addr().map_err(fallo)?);

    let mut tareas = JoinSet::new();
    tareas.spawn(lectura.seguir());
    tareas.spawn(estado::vigilar_api(api.clone(), estado));
    let resultado = Servidor::nuevo(difusion, estado_visto, api, guardia).servir(escucha, alto).await.map_err(fallo);
    tareas.shutdown().await;
    resultado
}
