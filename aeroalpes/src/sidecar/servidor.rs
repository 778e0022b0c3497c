//! El servidor: puerto, servicios, límites, final.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;

use crate::sidecar::api::Api;
use crate::sidecar::error::Error;
use crate::sidecar::salud;
use crate::sidecar::servicio::Servicio;
use crate::sidecar::vuelos::FILE_DESCRIPTOR_SET;
use crate::sidecar::vuelos::vuelos_server::VuelosServer;

/// La petición más larga: unos miles de legs.
const MAX_MENSAJE: usize = 1024 * 1024;
/// La respuesta más larga: una reserva tan grande como la puede dar la API.
const MAX_RESPUESTA: usize = 4 * 1024 * 1024;
/// Llamadas de una conexión a la vez.
const MAX_LLAMADAS: u32 = 128;
/// Lo que pueden tardar las llamadas en acabar cuando se pide el final; una llamada tiene treinta segundos como mucho.
const GRACIA: Duration = Duration::from_secs(20);

/// Dónde escucha el servidor, y dónde está la API.
#[derive(Debug, Clone)]
pub struct Configuracion {
    /// Dirección, `host:puerto`; el puerto 0 toma uno libre.
    pub escuchar: String,
    /// URL base de la API.
    pub api_url: String,
}

/// Sirve hasta que `parada` termina; después deja acabar las llamadas en curso.
///
/// # Errors
/// Una dirección que no sirve, o un fallo del servidor.
pub async fn servir(configuracion: Configuracion, parada: impl Future<Output = ()> + Send) -> Result<(), Error> {
    let Configuracion { escuchar, api_url } = configuracion;
    let api = Api::nueva(&api_url)?;
    let (escucha, direccion) = abrir(&escuchar).await?;
    let (mut informe, salud) = tonic_health::server::health_reporter();
    // Se conocen desde el principio, para que a la primera pregunta no se conteste que no existe el servicio.
    for nombre in ["", "vuelos.Vuelos"] {
        informe.set_service_status(nombre, ServingStatus::NotServing).await;
    }
    let vuelos = VuelosServer::new(Servicio { api: api.clone() })
        .max_decoding_message_size(MAX_MENSAJE)
        .max_encoding_message_size(MAX_RESPUESTA);
    let reflexion = |error: tonic_reflection::server::Error| Error::Servidor { source: Box::new(error) };
    let descritos = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (v1, v1alpha) = (descritos().build_v1().map_err(reflexion)?, descritos().build_v1alpha().map_err(reflexion)?);
    // Una salida cerrada no es motivo para terminar.
    let _ = writeln!(std::io::stdout(), "aeroalpes sidecar: {direccion}");
    tracing::info!(%direccion, api = %api_url, "el sidecar sirve");

    let parar = CancellationToken::new();
    let vigilancia = tokio::spawn(salud::vigilar(api, informe.clone()));
    let servidor = Server::builder()
        .max_concurrent_streams(MAX_LLAMADAS)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .add_service(salud)
        .add_service(vuelos)
        .add_service(v1)
        .add_service(v1alpha)
        .serve_with_incoming_shutdown(TcpIncoming::from(escucha), parar.cancelled());
    let mut servidor = std::pin::pin!(servidor);
    let fallo = |source: tonic::transport::Error| Error::Servidor { source: Box::new(source) };
    tokio::select! {
        fin = &mut servidor => return fin.map_err(fallo),
        () = parada => {}
    }
    vigilancia.abort();
    salud::despedir(&mut informe).await;
    parar.cancel();
    match tokio::time::timeout(GRACIA, servidor).await {
        Ok(fin) => fin.map_err(fallo),
        Err(_) => {
            tracing::warn!("había llamadas en curso al final");
            Ok(())
        }
    }
}

async fn abrir(direccion: &str) -> Result<(TcpListener, SocketAddr), Error> {
    let ocupada = |source| Error::Puerto { direccion: direccion.to_owned(), source };
    let escucha = TcpListener::bind(direccion).await.map_err(ocupada)?;
    let local = escucha.local_addr().map_err(ocupada)?;
    Ok((escucha, local))
}
