//! `aeroalpes sidecar`.

use aeroalpes::contrato::direccion;
use aeroalpes::sidecar::Configuracion;
use clap::Args;

use crate::fallo::Fallo;
use crate::parada;

/// Argumentos de `aeroalpes sidecar`.
#[derive(Debug, Args)]
#[command(after_help = "Entorno:
  AEROALPES_ADDRESS   la API: un host, host:puerto o una URL http://; localhost, puerto 5000
  RUST_LOG            qué se registra, como debug; sin ella, advertencias e informaciones propias")]
pub(crate) struct Sidecar {
    /// Dirección en la que se escucha
    #[arg(long, value_name = "HOST:PUERTO", env = "AEROALPES_ESCUCHAR", default_value = "127.0.0.1:50051")]
    escuchar: String,
}

/// Sirve hasta que se le pide que termine.
pub(super) async fn ejecutar(argumentos: Sidecar) -> Result<(), Fallo> {
    let configuracion = Configuracion { escuchar: argumentos.escuchar, api_url: direccion::api_del_entorno()? };
    Box::pin(aeroalpes::sidecar::servir(configuracion, parada::pedida())).await?;
    Ok(())
}
