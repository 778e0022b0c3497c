//! `aeroalpes sidecar-cliente`.

use std::path::PathBuf;
use std::time::Duration;

use aeroalpes::sidecar::cliente::{self, Destino};
use clap::{Args, Subcommand};

use crate::fallo::Fallo;

/// Argumentos de `aeroalpes sidecar-cliente`.
#[derive(Debug, Args)]
pub(crate) struct SidecarCliente {
    /// Dirección del sidecar
    #[arg(long, value_name = "HOST:PUERTO", default_value = "localhost:50051")]
    direccion: String,
    /// Cuánto se espera una respuesta, en milisegundos
    #[arg(long, default_value_t = 10_000)]
    espera_ms: u64,
    #[command(subcommand)]
    pedido: Pedido,
}

/// Qué se le pide.
#[derive(Debug, Subcommand)]
enum Pedido {
    /// Hace la reserva de un archivo JSON y la imprime como quedó guardada
    Crear {
        /// El cuerpo de POST /vuelos/reserva; `-` lo lee de la entrada
        archivo: PathBuf,
        /// Clave con la que una llamada repetida hace una sola reserva
        #[arg(long)]
        clave: Option<String>,
    },
    /// Imprime una reserva
    Consultar {
        /// Su id
        id: String,
    },
}

/// Pregunta, e imprime la respuesta.
pub(super) async fn ejecutar(argumentos: SidecarCliente) -> Result<(), Fallo> {
    let SidecarCliente { direccion, espera_ms, pedido } = argumentos;
    let destino = Destino { direccion, espera: Duration::from_millis(espera_ms) };
    let respuesta = match pedido {
        Pedido::Crear { archivo, clave } => cliente::crear(&destino, &archivo, clave.as_deref()).await?,
        Pedido::Consultar { id } => cliente::consultar(&destino, &id).await?,
    };
    println!("{respuesta}");
    Ok(())
}
