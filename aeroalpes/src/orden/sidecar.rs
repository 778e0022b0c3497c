//! `aeroalpes sidecar`.

use aeroalpes::contrato::direccion;
use aeroalpes::sidecar::Configuracion;
use clap::Args;

use crate::fallo::Fallo;
use crate::parada;

/// Arguments of `aeroalpes sidecar`.
#[derive(Debug, Args)]
#[command(after_help = "Environment:
  AEROALPES_ADDRESS   the API: a host, host:port or http:// URL; localhost, port 5000
  RUST_LOG            what is logged, such as debug: warnings, and our own information")]
pub struct Sidecar {
    /// Address to listen on
    #[arg(long, value_name = "HOST:PUERTO", env = "AEROALPES_ESCUCHAR", default_value = "127.0.0.1:50051")]
    escuchar: String,
}

/// Runs the sidecar until the process is asked to end.
pub async fn ejecutar(argumentos: Sidecar) -> Result<(), Fallo> {
    let configuracion = Configuracion { escuchar: argumentos.escuchar, api_url: direccion::api_del_entorno()? };
    Box::pin(aeroalpes::sidecar::servir(configuracion, parada::pedida())).await?;
    Ok(())
}
