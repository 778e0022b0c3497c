//! `aeroalpes ui`.

use aeroalpes::contrato::direccion::{Broker, api_del_entorno, texto};
use clap::Args;

use crate::fallo::Fallo;
use crate::parada;

/// Arguments of `aeroalpes ui`.
#[derive(Debug, Args)]
#[command(after_help = "Environment:
  AEROALPES_ADDRESS    the API: a host, host:port or http:// URL; localhost, port 5000
  PULSAR_SERVICE_URL   the broker; or PULSAR_ADDRESS, its host
  AEROALPES_PREFIJO    what the topics of change events begin with: aeroalpesdb
  RUST_LOG             what is logged, such as debug: warnings, and our own information")]
pub struct Ui {
    /// Address of page and websocket
    #[arg(long, env = "AEROALPES_ESCUCHAR", value_name = "HOST:PUERTO", default_value = "127.0.0.1:5678")]
    escuchar: String,
    /// A name by which the page is called, beside localhost and addresses; repeated or separated by commas
    #[arg(long, env = "AEROALPES_NOMBRES", value_name = "NOMBRE", value_delimiter = ',')]
    nombres: Vec<String>,
}

/// Serves until it is told to end.
pub async fn ejecutar(argumentos: Ui) -> Result<(), Fallo> {
    let opciones = aeroalpes::ui::Opciones {
        escuchar: argumentos.escuchar,
        nombres: argumentos.nombres,
        broker: Broker::del_entorno("PULSAR_ADDRESS"),
        api: api_del_entorno()?,
        prefijo: texto("AEROALPES_PREFIJO", "aeroalpesdb"),
    };
    Ok(aeroalpes::ui::servir(opciones, parada::pedida()).await?)
}
