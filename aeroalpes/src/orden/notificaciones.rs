//! `aeroalpes notificaciones`.

use std::path::PathBuf;

use aeroalpes_notificaciones::Configuracion;
use clap::Args;

use crate::fallo::Fallo;
use crate::parada;

/// Arguments of `aeroalpes notificaciones`. Servers and addresses come from the environment: PULSAR_ADDRESS, AEROALPES_ADDRESS,
/// SMTP_HOST, SMTP_PORT, SMTP_TLS (none, starttls, tls), SMTP_USER, SMTP_PASSWORD, SMTP_CA_FILE, CORREO_DE, CORREO_PARA.
#[derive(Debug, Args)]
pub struct Notificaciones {
    /// Folder of the inbox, which tells which events were mailed
    #[arg(long, env = "AEROALPES_DATOS", default_value = "./aeroalpes-datos")]
    datos: PathBuf,
}

/// Runs the notifications until the process is asked to end.
pub async fn ejecutar(argumentos: Notificaciones) -> Result<(), Fallo> {
    let configuracion = Configuracion::del_entorno(&argumentos.datos)?;
    Box::pin(aeroalpes_notificaciones::ejecutar(configuracion, parada::pedida())).await?;
    Ok(())
}
