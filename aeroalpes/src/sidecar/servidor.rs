//! El servidor: puerto, servicios, límites, final.

use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::contrato::direccion;
use crate::error::Error;
use crate::escucha;
use crate::http::Api;
use crate::sidecar::servicio::{PLAZO, Servicio};
use crate::sidecar::vuelos::FILE_DESCRIPTOR_SET;
use crate::sidecar::vuelos::vuelos_server::VuelosServer;

/// Para una conexión con la API.
const CONECTAR: Duration = Duration::from_secs(5);
/// El servidor entero, y su servicio.
const NOMBRES: [&str; 2] = ["", "vuelos.Vuelos"];
/// La petición más larga: unos miles de legs.
const MAX_MENSAJE: usize = 1024 * 1024;
/// La respuesta más larga: una reserva tan grande como la puede dar la API.
const MAX_RESPUESTA: usize = 4 * 1024 * 1024;
/// Llamadas de una conexión a la vez.
const MAX_LLAMADAS: u32 = 128;
/// Lo que pueden tardar las llamadas en acabar cuando se pide el final; una llamada tiene treinta segundos como mucho.
const GRACIA: Duration = Duration::from_secs(20);

/// Argumentos de `aeroalpes sidecar`.
#[derive(Debug, Args)]
#[command(after_help = "Entorno:
  AEROALPES_ADDRESS   la API: un host, host:puerto o una URL http://; localhost, puerto 5000
  RUST_LOG            qué se registra, como debug; sin ella, advertencias e informaciones propias")]
pub(crate) struct Argumentos {
    /// Dirección en la que se escucha
    #[arg(long, value_name = "HOST:PUERTO", env = "AEROALPES_ESCUCHAR", default_value = "127.0.0.1:50051")]
    escuchar: String,
}

/// Sirve hasta que `parada` termina; después deja acabar las llamadas en curso.
pub(crate) async fn servir(argumentos: Argumentos, parada: impl Future<Output = ()> + Send) -> Result<(), Error> {
    let api_url = direccion::api_del_entorno()?;
    let api = Api::nueva(&api_url, CONECTAR, PLAZO)?;
    let (mut informe, salud) = tonic_health::server::health_reporter();
    // Se conocen desde el principio, para que a la primera pregunta no se conteste que no existe el servicio.
    anotar(&informe, ServingStatus::NotServing).await;
    let vuelos = VuelosServer::new(Servicio { api: api.clone() })
        .max_decoding_message_size(MAX_MENSAJE)
        .max_encoding_message_size(MAX_RESPUESTA);
    let reflexion = |error: tonic_reflection::server::Error| Error::Grpc(Box::new(error));
    let descritos = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (v1, v1alpha) = (descritos().build_v1().map_err(reflexion)?, descritos().build_v1alpha().map_err(reflexion)?);
    let escucha = escucha::abrir(&argumentos.escuchar, "aeroalpes sidecar: ").await?;
    tracing::info!(api = %api_url, "el sidecar sirve");

    let parar = CancellationToken::new();
    let vigilancia = tokio::spawn(vigilar(api, informe.clone()));
    let servidor = Server::builder()
        .max_concurrent_streams(MAX_LLAMADAS)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .add_service(salud)
        .add_service(vuelos)
        .add_service(v1)
        .add_service(v1alpha)
        .serve_with_incoming_shutdown(TcpIncoming::from(escucha), parar.cancelled());
    let mut servidor = std::pin::pin!(servidor);
    let fallo = |source: tonic::transport::Error| Error::Grpc(Box::new(source));
    tokio::select! {
        fin = &mut servidor => return fin.map_err(fallo),
        () = parada => {}
    }
    vigilancia.abort();
    // Con esto terminan las llamadas que vigilan la salud.
    anotar(&informe, ServingStatus::NotServing).await;
    for nombre in NOMBRES {
        informe.clear_service_status(nombre).await;
    }
    parar.cancel();
    match tokio::time::timeout(GRACIA, servidor).await {
        Ok(fin) => fin.map_err(fallo),
        Err(_) => {
            tracing::warn!("había llamadas en curso al final");
            Ok(())
        }
    }
}

/// Dice al servicio de salud si la API contesta, una y otra vez.
async fn vigilar(api: Api, informe: HealthReporter) {
    let mut antes = None;
    loop {
        let responde = api.cambio(antes).await;
        anotar(&informe, if responde { ServingStatus::Serving } else { ServingStatus::NotServing }).await;
        tracing::info!(responde, "la API");
        antes = Some(responde);
    }
}

async fn anotar(informe: &HealthReporter, estado: ServingStatus) {
    for nombre in NOMBRES {
        informe.set_service_status(nombre, estado).await;
    }
}
