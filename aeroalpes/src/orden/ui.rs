//! `aeroalpes ui`.

use aeroalpes::contrato::direccion::{Broker, api_del_entorno, texto};
use clap::Args;

use crate::fallo::Fallo;
use crate::parada;

/// Argumentos de `aeroalpes ui`.
#[derive(Debug, Args)]
#[command(after_help = "Entorno:
  AEROALPES_ADDRESS    la API: un host, host:puerto o una URL http://; localhost, puerto 5000
  PULSAR_SERVICE_URL   el broker; o PULSAR_ADDRESS, su servidor
  AEROALPES_PREFIJO    con qué empiezan los temas de los cambios: aeroalpesdb
  RUST_LOG             qué se registra, como debug; sin ella, advertencias e informaciones propias")]
pub(crate) struct Ui {
    /// Dirección de la página y de su websocket
    #[arg(long, env = "AEROALPES_ESCUCHAR", value_name = "HOST:PUERTO", default_value = "127.0.0.1:5678")]
    escuchar: String,
    /// Nombre por el que se llama a la página, además de localhost y de direcciones; se repite o se separa con comas
    #[arg(long, env = "AEROALPES_NOMBRES", value_name = "NOMBRE", value_delimiter = ',')]
    nombres: Vec<String>,
}

/// Sirve hasta que se le pide que termine.
pub(super) async fn ejecutar(argumentos: Ui) -> Result<(), Fallo> {
    let opciones = aeroalpes::ui::Opciones {
        escuchar: argumentos.escuchar,
        nombres: argumentos.nombres,
        broker: Broker::del_entorno("PULSAR_ADDRESS"),
        api: api_del_entorno()?,
        prefijo: texto("AEROALPES_PREFIJO", "aeroalpesdb"),
    };
    Ok(aeroalpes::ui::servir(opciones, parada::pedida()).await?)
}
