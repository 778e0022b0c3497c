//! The server: port, services, limits, end.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;

use crate::sidecar::api::Api;
use crate::sidecar::error::Error;
use crate::sidecar::salud;
use crate::sidecar::servicio::Servicio;
use crate::sidecar::vuelos::FILE_DESCRIPTOR_SET;
use crate::sidecar::vuelos::vuelos_server::VuelosServer;

/// Largest request: some thousand legs.
const MAX_MENSAJE: usize = 1024 * 1024;
/// Largest answer: a reservation as large as the API's answer may be.
const MAX_RESPUESTA: usize = 4 * 1024 * 1024;
/// Calls of one connection at the same time.
const MAX_LLAMADAS: u32 = 128;
/// How long calls may take to finish once the end is asked for; a call has at most thirty seconds anyway.
const GRACIA: Duration = Duration::from_secs(20);

/// Where the server listens, and where the API is.
#[derive(Debug, Clone)]
pub struct Configuracion {
    /// Address, `host:port`; port 0 takes a free one.
    pub escuchar: String,
    /// Base URL of the API.
    pub api_url: String,
}

/// Serves until `parada` completes, then lets running calls finish.
///
/// # Errors
/// An address that cannot be used, or a failure of the server.
pub async fn servir(configuracion: Configuracion, parada: impl Future<Output = ()> + Send) -> Result<(), Error> {
    let Configuracion { escuchar, api_url } = configuracion;
    let api = Api::nueva(&api_url)?;
    let (listener, address) = abrir(&escuchar).await?;
    let (mut reporter, health) = tonic_health::server::health_reporter();
    // Known from the start, so that a first question is not answered with "no such service".
    for name in ["", "vuelos.Vuelos"] {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
    }
    let vuelos = VuelosServer::new(Servicio { api: api.clone() })
        .max_decoding_message_size(MAX_MENSAJE)
        .max_encoding_message_size(MAX_RESPUESTA);
    let reflection = |error: tonic_reflection::server::Error| Error::Server { source: Box::new(error) };
    let describe = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (v1, v1alpha) = (describe().build_v1().map_err(reflection)?, describe().build_v1alpha().map_err(reflection)?);
    // A closed standard output is no reason to end.
    let _ = writeln!(std::io::stdout(), "aeroalpes sidecar: {address}");
    tracing::info!(%address, api = %api_url, "serving");

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let watch = tokio::spawn(salud::vigilar(api, reporter.clone()));
    let server = Server::builder()
        .max_concurrent_streams(MAX_LLAMADAS)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .add_service(health)
        .add_service(vuelos)
        .add_service(v1)
        .add_service(v1alpha)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async { stopped.await.unwrap_or(()) });
    let mut server = std::pin::pin!(server);
    let failed = |source: tonic::transport::Error| Error::Server { source: Box::new(source) };
    tokio::select! {
        ended = &mut server => return ended.map_err(failed),
        () = parada => {}
    }
    watch.abort();
    salud::despedir(&mut reporter).await;
    // The server is there as long as this function is.
    let _ = stop.send(());
    match tokio::time::timeout(GRACIA, server).await {
        Ok(ended) => ended.map_err(failed),
        Err(_) => {
            tracing::warn!("calls were still running at the end");
            Ok(())
        }
    }
}

async fn abrir(address: &str) -> Result<(TcpListener, SocketAddr), Error> {
    let listen = |source| Error::Listen { address: address.to_owned(), source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let local = listener.local_addr().map_err(listen)?;
    Ok((listener, local))
}
