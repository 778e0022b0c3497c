//! `aeroalpes notificaciones`.

use std::path::PathBuf;

use aeroalpes::notificaciones::Configuracion;
use clap::Args;

use crate::fallo::Fallo;
use crate::parada;

/// Arguments of `aeroalpes notificaciones`.
#[derive(Debug, Args)]
#[command(after_help = "Environment:
  AEROALPES_ADDRESS         the API: a host, host:port or http:// URL; localhost, port 5000
  PULSAR_SERVICE_URL        the broker; or PULSAR_ADDRESS, its host
  SMTP_HOST, SMTP_PORT      the mail server; without a host notifications are lines on standard output
  SMTP_TLS                  none, starttls or tls; starttls when there is a user, else none
  SMTP_USER, SMTP_PASSWORD  its account, if it wants one
  SMTP_CA_FILE              PEM file of a certification authority to trust besides the public ones
  CORREO_DE, CORREO_PARA    sender, and recipient of events whose user has no address
  RUST_LOG                  what is logged, such as debug: warnings, and our own information")]
pub struct Notificaciones {
    /// Folder of the inbox, which tells which events were mailed
    #[arg(long, env = "AEROALPES_DATOS", default_value = "./aeroalpes-datos")]
    datos: PathBuf,
}

/// Runs the notifications until the process is asked to end.
pub async fn ejecutar(argumentos: Notificaciones) -> Result<(), Fallo> {
    let configuracion = Configuracion::del_entorno(&argumentos.datos)?;
    Box::pin(aeroalpes::notificaciones::ejecutar(configuracion, parada::pedida())).await?;
    Ok(())
}
