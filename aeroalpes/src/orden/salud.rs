//! `aeroalpes salud`.

use std::time::Duration;

use aeroalpes::sidecar::cliente::{self, Destino};
use clap::Args;

use crate::fallo::Fallo;

/// Arguments of `aeroalpes salud`.
#[derive(Debug, Args)]
pub struct Salud {
    /// Address that answers 200 when all is well, e.g. http://127.0.0.1:5000/health, or grpc://127.0.0.1:50051
    url: String,
    /// How long to wait for the answer, in milliseconds
    #[arg(long, default_value_t = 3000)]
    espera_ms: u64,
}

/// Succeeds when the address answers 200, or its gRPC health service that it serves.
pub async fn ejecutar(argumentos: Salud) -> Result<(), Fallo> {
    let Salud { url, espera_ms } = argumentos;
    let espera = Duration::from_millis(espera_ms);
    if let Some(direccion) = url.strip_prefix("grpc://") {
        cliente::salud(&Destino { direccion: direccion.to_owned(), espera }).await?;
        return Ok(());
    }
    let client = reqwest::Client::builder().timeout(espera).no_proxy().build()?;
    let status = client.get(&url).send().await?.status();
    if status != reqwest::StatusCode::OK {
        return Err(Fallo::nuevo(format!("{url} answered {status}")));
    }
    Ok(())
}
