//! `aeroalpes api`.

use std::time::Duration;

use aeroalpes::api::Puerta;
use clap::Args;

use crate::fallo::Fallo;
use crate::parada;

/// Arguments of `aeroalpes api`.
#[derive(Debug, Args)]
#[command(after_help = "Environment:
  DB_HOSTNAME, DB_PORT       the database: localhost, 3306
  DB_USERNAME, DB_PASSWORD   root, adminadmin
  DB_NAME, DB_CONNECTIONS    reservas, at most 24
  PULSAR_SERVICE_URL         the broker; or BROKER_HOST, its host
  RUST_LOG                   what is logged, such as debug: warnings, and our own information")]
pub struct Api {
    /// Address to listen on, host:port; port 0 takes a free one
    #[arg(long, env = "AEROALPES_ESCUCHAR", default_value = "127.0.0.1:5000")]
    escuchar: String,
    /// Requests that are answered at a time; beyond them the answer is 503
    #[arg(long, env = "AEROALPES_EN_VUELO", default_value_t = aeroalpes::api::EN_VUELO)]
    en_vuelo: usize,
    /// A name by which the API is called, beside localhost and addresses; repeated or separated by commas
    #[arg(long, env = "AEROALPES_NOMBRES", value_name = "NOMBRE", value_delimiter = ',')]
    nombres: Vec<String>,
    /// Connections at a time; further ones wait
    #[arg(long, env = "AEROALPES_CONEXIONES", default_value_t = Puerta::default().conexiones)]
    conexiones: usize,
    /// How long a connection may take for the header of a request, in milliseconds; also how long it may be idle
    #[arg(long, env = "AEROALPES_CABECERA_MS", default_value_t = 100_000)]
    cabecera_ms: u64,
}

/// Serves until asked to end.
pub async fn ejecutar(argumentos: Api) -> Result<(), Fallo> {
    let cabecera = Duration::from_millis(argumentos.cabecera_ms);
    let puerta = Puerta { conexiones: argumentos.conexiones, cabecera };
    let opciones =
        aeroalpes::api::Opciones::del_entorno(argumentos.escuchar, argumentos.en_vuelo, puerta, argumentos.nombres)?;
    Ok(aeroalpes::api::servir(opciones, parada::pedida()).await?)
}
