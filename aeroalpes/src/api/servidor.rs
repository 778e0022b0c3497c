//! El proceso: qué arranca, en qué orden, y cómo termina.
//!
//! Principio: escucha enseguida; la base de datos puede no estar, y se contesta 503 hasta que estén sus tablas.
//! Final: no entran conexiones nuevas, acaban las peticiones en curso y los mensajes que se atienden, después las
//! tareas de fondo y las conexiones.

use std::future::Future;
use std::sync::Arc;

use bitacora_origin::Guard;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api::error::Error;
use crate::api::infraestructura::mysql::{ConfiguracionDb, MySql, limpiar, mantener_esquema};
use crate::api::infraestructura::{Argon2id, broker};
use crate::api::presentacion::{Contexto, enrutar, mensajes};
use crate::api::puerta::{self, Puerta};

/// Lo que la API necesita saber.
#[derive(Debug, Clone)]
pub struct Opciones {
    /// `host:puerto` en el que se escucha; el puerto 0 toma uno libre.
    pub escuchar: String,
    /// Peticiones que se atienden a la vez; a las demás se les contesta 503.
    pub en_vuelo: usize,
    /// Las conexiones.
    pub puerta: Puerta,
    /// Nombres por los que se llama a la API, además de `localhost` y de direcciones.
    pub nombres: Vec<String>,
    /// La base de datos.
    pub base: ConfiguracionDb,
    /// La dirección del *broker*.
    pub broker: crate::contrato::direccion::Broker,
}

/// Peticiones que se atienden a la vez, si no se dice otra cosa.
pub const EN_VUELO: usize = 512;

impl Opciones {
    /// Toma la base de datos y el *broker* de las variables de entorno del contrato.
    ///
    /// # Errors
    /// Una variable tiene un valor que no sirve.
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

/// Sirve hasta que `fin` termina; después termina en orden.
///
/// # Errors
/// No se puede arrancar la API.
pub async fn servir(opciones: Opciones, fin: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    let almacen = MySql::nuevo(&opciones.base)?;
    let contexto = Contexto {
        almacen: almacen.clone(),
        resumidor: Argon2id::nuevo().map_err(Error::Hilos)?,
        broker: broker::cliente(&opciones.broker).map_err(Error::Broker)?,
        lugares: Arc::new(Semaphore::new(opciones.en_vuelo.min(Semaphore::MAX_PERMITS))),
        guardia: Arc::new(Guard::new(&opciones.nombres)?),
    };
    let fallo = |source| Error::Escuchar { direccion: opciones.escuchar.clone(), source };
    let escucha = TcpListener::bind(&opciones.escuchar).await.map_err(fallo)?;
    println!("aeroalpes api: http://{}", escucha.local_addr().map_err(fallo)?);
    tracing::info!(base = ?opciones.base, broker = opciones.broker.service_url, "la API está abierta");

    let mut tareas = JoinSet::new();
    tareas.spawn(mantener_esquema(almacen.clone()));
    tareas.spawn(limpiar(almacen.clone()));
    let pedido = CancellationToken::new();
    let mut consumidores = JoinSet::new();
    consumidores.spawn(mensajes::atender_comandos(contexto.clone(), pedido.clone()));
    consumidores.spawn(mensajes::anotar_eventos(contexto.clone(), pedido.clone()));
    let aviso = pedido.clone();
    tareas.spawn(async move {
        fin.await;
        aviso.cancel();
    });
    puerta::atender(escucha, enrutar(contexto), opciones.puerta, pedido.cancelled()).await;
    while consumidores.join_next().await.is_some() {}
    tareas.shutdown().await;
    almacen.cerrar().await;
    Ok(())
}
