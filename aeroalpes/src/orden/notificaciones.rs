//! `aeroalpes notificaciones`.

use std::path::PathBuf;

use aeroalpes::notificaciones::Configuracion;
use clap::Args;

use crate::fallo::Fallo;
use crate::parada;

/// Argumentos de `aeroalpes notificaciones`.
#[derive(Debug, Args)]
#[command(after_help = "Entorno:
  AEROALPES_ADDRESS         la API: un host, host:puerto o una URL http://; localhost, puerto 5000
  PULSAR_SERVICE_URL        el broker; o PULSAR_ADDRESS, su servidor
  SMTP_HOST, SMTP_PORT      el servidor de correo; sin él las notificaciones son líneas en la salida
  SMTP_TLS                  none, starttls o tls; starttls si hay usuario; si no, none
  SMTP_USER, SMTP_PASSWORD  su cuenta, si la pide
  SMTP_CA_FILE              archivo PEM de una autoridad de certificación en la que confiar además de las públicas
  CORREO_DE, CORREO_PARA    remitente, y destinatario de los eventos cuyo usuario no tiene dirección
  RUST_LOG                  qué se registra, como debug; sin ella, advertencias e informaciones propias")]
pub(crate) struct Notificaciones {
    /// Carpeta de la bandeja, que dice de qué eventos se envió correo
    #[arg(long, env = "AEROALPES_DATOS", default_value = "./aeroalpes-datos")]
    datos: PathBuf,
}

/// Notifica hasta que se le pide que termine.
pub(super) async fn ejecutar(argumentos: Notificaciones) -> Result<(), Fallo> {
    let configuracion = Configuracion::del_entorno(&argumentos.datos)?;
    Box::pin(aeroalpes::notificaciones::ejecutar(configuracion, parada::pedida())).await?;
    Ok(())
}
