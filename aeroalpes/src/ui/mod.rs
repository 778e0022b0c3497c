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
mod estado;
mod lectura;
mod reenvio;
mod servidor;

use std::sync::Arc;
use std::time::Duration;

use bitacora_origin::Guard;
use clap::Args;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::contrato::direccion::{Broker, api_del_entorno, texto};
use crate::error::Error;
use crate::escucha;
use crate::http::Api;
use difusion::Difusion;
use estado::Estado;
use lectura::Lectura;

/// Para una conexión con la API, y para la pregunta de si está en marcha.
const CONECTAR: Duration = Duration::from_secs(2);

/// Para una respuesta de la API con su cuerpo.
const RESPUESTA: Duration = Duration::from_secs(10);

/// Argumentos de `aeroalpes ui`.
#[derive(Debug, Args)]
#[command(after_help = "Entorno:
  AEROALPES_ADDRESS    la API: un host, host:puerto o una URL http://; localhost, puerto 5000
  PULSAR_SERVICE_URL   el broker; o PULSAR_ADDRESS, su servidor
  AEROALPES_PREFIJO    con qué empiezan los temas de los cambios: aeroalpesdb
  RUST_LOG             qué se registra, como debug; sin ella, advertencias e informaciones propias")]
pub(crate) struct Argumentos {
    /// Dirección de la página y de su websocket
    #[arg(long, env = "AEROALPES_ESCUCHAR", value_name = "HOST:PUERTO", default_value = "127.0.0.1:5678")]
    escuchar: String,
    /// Nombre por el que se llama a la página, además de localhost y de direcciones; se repite o se separa con comas
    #[arg(long, env = "AEROALPES_NOMBRES", value_name = "NOMBRE", value_delimiter = ',')]
    nombres: Vec<String>,
}

/// Sirve la página y los websockets hasta que `alto` termina. Imprime la dirección en cuanto escucha. Que no estén el
/// *broker* o la API no es un error.
pub(crate) async fn servir(argumentos: Argumentos, alto: impl Future<Output = ()>) -> Result<(), Error> {
    let Argumentos { escuchar: direccion, nombres } = argumentos;
    let api = Api::nueva(&api_del_entorno()?, CONECTAR, RESPUESTA)?;
    let difusion = Arc::new(Difusion::default());
    let (estado, estado_visto) = watch::channel(Estado::default());
    let prefijo = texto("AEROALPES_PREFIJO", "aeroalpesdb");
    let lectura =
        Lectura::nueva(&Broker::del_entorno("PULSAR_ADDRESS"), prefijo, Arc::clone(&difusion), estado.clone())?;
    let guardia = Guard::new(&nombres)?;
    let escucha = escucha::abrir(&direccion, "aeroalpes ui: http://").await?;

    let mut tareas = JoinSet::new();
    tareas.spawn(lectura.seguir());
    tareas.spawn(estado::vigilar_api(api.clone(), estado));
    let resultado = servidor::servir(escucha, difusion, estado_visto, api, guardia, alto).await;
    tareas.shutdown().await;
    resultado.map_err(|source| Error::Escuchar { direccion, source })
}
