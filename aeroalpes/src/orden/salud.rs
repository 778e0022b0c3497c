//! `aeroalpes salud`.

use std::time::Duration;

use aeroalpes::causas::con_causas;
use aeroalpes::sidecar::cliente::{self, Destino};
use clap::Args;

use crate::fallo::Fallo;

/// Argumentos de `aeroalpes salud`.
#[derive(Debug, Args)]
pub(crate) struct Salud {
    /// Dirección que contesta 200 si todo está bien, como http://127.0.0.1:5000/health, o grpc://127.0.0.1:50051
    url: String,
    /// Cuánto se espera la respuesta, en milisegundos
    #[arg(long, default_value_t = 3000)]
    espera_ms: u64,
}

/// Acaba bien si la dirección contesta 200, o si su servicio de salud de gRPC dice que sirve.
pub(super) async fn ejecutar(argumentos: Salud) -> Result<(), Fallo> {
    let Salud { url, espera_ms } = argumentos;
    let espera = Duration::from_millis(espera_ms);
    if let Some(direccion) = url.strip_prefix("grpc://") {
        cliente::salud(&Destino { direccion: direccion.to_owned(), espera }).await?;
        return Ok(());
    }
    let fallo = |error: reqwest::Error| Fallo::nuevo(con_causas(&error));
    let cliente = reqwest::Client::builder().timeout(espera).no_proxy().build().map_err(fallo)?;
    let estado = cliente.get(&url).send().await.map_err(fallo)?.status();
    if estado != reqwest::StatusCode::OK {
        return Err(Fallo::nuevo(format!("{url} contestó {estado}")));
    }
    Ok(())
}
