//! `aeroalpes api`.

use clap::Args;

use crate::fallo::Fallo;
use crate::parada;

/// Arguments of `aeroalpes api`.
#[derive(Debug, Args)]
pub struct Api {
    /// Address to listen on, host:port; port 0 takes a free one
    #[arg(long, env = "AEROALPES_ESCUCHAR", default_value = "127.0.0.1:5000")]
    escuchar: String,
    /// Requests that are answered at a time; beyond them the answer is 503
    #[arg(long, env = "AEROALPES_EN_VUELO", default_value_t = aeroalpes_api::EN_VUELO)]
    en_vuelo: usize,
}

/// Serves until asked to end.
pub async fn ejecutar(argumentos: Api) -> Result<(), Fallo> {
    let opciones = aeroalpes_api::Opciones::del_entorno(argumentos.escuchar, argumentos.en_vuelo)?;
    Ok(aeroalpes_api::servir(opciones, parada::pedida()).await?)
}
