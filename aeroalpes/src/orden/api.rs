//! `aeroalpes api`.

use std::time::Duration;

use clap::Args;

use super::parada;
use crate::api::{Error, Opciones, Puerta, servir};

/// Argumentos de `aeroalpes api`.
#[derive(Debug, Args)]
#[command(after_help = "Entorno:
  DB_HOSTNAME, DB_PORT       la base de datos: localhost, 3306
  DB_USERNAME, DB_PASSWORD   root, adminadmin
  DB_NAME, DB_CONNECTIONS    reservas, como mucho 24
  PULSAR_SERVICE_URL         el broker; o BROKER_HOST, su servidor
  RUST_LOG                   qué se registra, como debug; sin ella, advertencias e informaciones propias")]
pub(crate) struct Api {
    /// Dirección en la que se escucha, host:puerto; el puerto 0 toma uno libre
    #[arg(long, env = "AEROALPES_ESCUCHAR", default_value = "127.0.0.1:5000")]
    escuchar: String,
    /// Peticiones que se atienden a la vez; a las demás se les contesta 503
    #[arg(long, env = "AEROALPES_EN_VUELO", default_value_t = crate::api::EN_VUELO)]
    en_vuelo: usize,
    /// Nombre por el que se llama a la API, además de localhost y de direcciones; se repite o se separa con comas
    #[arg(long, env = "AEROALPES_NOMBRES", value_name = "NOMBRE", value_delimiter = ',')]
    nombres: Vec<String>,
    /// Conexiones a la vez; las demás esperan
    #[arg(long, env = "AEROALPES_CONEXIONES", default_value_t = Puerta::default().conexiones)]
    conexiones: usize,
    /// Lo que puede tardar la cabecera de una petición, en milisegundos; también lo que puede callar una conexión
    #[arg(long, env = "AEROALPES_CABECERA_MS", default_value_t = 100_000)]
    cabecera_ms: u64,
}

/// Sirve hasta que se le pide que termine.
pub(super) async fn ejecutar(argumentos: Api) -> Result<(), Error> {
    let cabecera = Duration::from_millis(argumentos.cabecera_ms);
    let puerta = Puerta { conexiones: argumentos.conexiones, cabecera };
    let opciones = Opciones::del_entorno(argumentos.escuchar, argumentos.en_vuelo, puerta, argumentos.nombres)?;
    servir(opciones, parada::pedida()).await
}
