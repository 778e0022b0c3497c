//! The process: what is started, in which order, and how it ends.
//!
//! Start: the address is listened on at once; the database may be away, and requests are answered 503 until its tables are
//! there. End: no new connections, requests in flight finish, so do messages that are being handled, then the tasks behind, then the pool.

use std::future::Future;
use std::sync::Arc;

use bitacora_origin::Guard;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::error::Error;
use crate::api::infraestructura::mysql::{ConfiguracionDb, MySql, limpiar, mantener_esquema};
use crate::api::infraestructura::{Argon2id, Broker};
use crate::api::presentacion::{Contexto, Limite, enrutar, mensajes};
use crate::api::puerta::{self, Puerta};

/// What the API needs to know.
#[derive(Debug, Clone)]
pub struct Opciones {
    /// `host:port` to listen on; port 0 takes a free one.
    pub escuchar: String,
    /// Requests that are answered at a time; beyond them the answer is 503.
    pub en_vuelo: usize,
    /// Connections.
    pub puerta: Puerta,
    /// Nombres por los que se llama a la API, además de `localhost` y de direcciones.
    pub nombres: Vec<String>,
    /// The database.
    pub base: ConfiguracionDb,
    /// The broker's addresses.
    pub broker: crate::contrato::direccion::Broker,
}

/// Requests answered at a time, unless told otherwise.
pub const EN_VUELO: usize = 512;

impl Opciones {
    /// Takes database and broker from the environment variables of the contract.
    ///
    /// # Errors
    /// A variable has a value that cannot be used.
    pub fn del_entorno(
        escuchar: String,
        en_vuelo: usize,
        puerta: Puerta,
        nombres: Vec<String>,
    ) -> Result<Opciones, Error> {
        let broker = crate::contrato::direccion::Broker::del_entorno("BROKER_HOST");
        Ok(Opciones { escuchar, en_vuelo, puerta, nombres, base: ConfiguracionDb::del_entorno()?, broker })
    }
}

/// Serves until `fin` completes, then ends in order.
///
/// # Errors
/// The API cannot be started.
pub async fn servir(opciones: Opciones, fin: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    let almacen = MySql::nuevo(&opciones.base)?;
    let contexto = Contexto {
        almacen: almacen.clone(),
        resumidor: Argon2id::nuevo().map_err(Error::Hilos)?,
        broker: Broker::nuevo(&opciones.broker).map_err(Error::Broker)?,
        limite: Limite::nuevo(opciones.en_vuelo),
        guardia: Arc::new(Guard::new(&opciones.nombres)?),
    };
    let failed = |source| Error::Escuchar { direccion: opciones.escuchar.clone(), source };
    let listener = TcpListener::bind(&opciones.escuchar).await.map_err(failed)?;
    println!("aeroalpes api: http://{}", listener.local_addr().map_err(failed)?);
    tracing::info!(base = ?opciones.base, broker = opciones.broker.service_url, "the API is open");

    let mut tareas = JoinSet::new();
    tareas.spawn(mantener_esquema(almacen.clone()));
    tareas.spawn(limpiar(almacen.clone()));
    let (terminar, terminado) = watch::channel(false);
    let mut consumidores = JoinSet::new();
    consumidores.spawn(mensajes::atender_comandos(contexto.clone(), terminado.clone()));
    consumidores.spawn(mensajes::anotar_eventos(contexto.clone(), terminado.clone()));
    tareas.spawn(async move {
        fin.await;
        let _ = terminar.send(true);
        // Held, so that nobody takes the sender's end for the end that was asked for.
        std::future::pending::<()>().await;
    });
    puerta::atender(listener, enrutar(contexto), opciones.puerta, pedido(terminado)).await;
    while consumidores.join_next().await.is_some() {}
    tareas.shutdown().await;
    almacen.cerrar().await;
    Ok(())
}

/// Waits until the end is asked for.
pub(crate) async fn pedido(mut terminado: watch::Receiver<bool>) {
    let _ = terminado.wait_for(|ended| *ended).await;
}
