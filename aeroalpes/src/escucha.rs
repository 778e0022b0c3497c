//! Dónde escucha una parte.

use std::io::Write;

use tokio::net::TcpListener;

use crate::error::Error;

/// Abre una dirección, `host:puerto`, y la imprime detrás de `saludo`, con el puerto que resultó: el 0 toma uno libre.
pub(crate) async fn abrir(direccion: &str, saludo: &str) -> Result<TcpListener, Error> {
    let fallo = |source| Error::Escuchar { direccion: direccion.to_owned(), source };
    let escucha = TcpListener::bind(direccion).await.map_err(fallo)?;
    let local = escucha.local_addr().map_err(fallo)?;
    // Una salida cerrada no es motivo para terminar.
    let _ = writeln!(std::io::stdout(), "{saludo}{local}");
    Ok(escucha)
}
