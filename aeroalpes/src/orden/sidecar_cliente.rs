//! `aeroalpes sidecar-cliente`.

use std::path::PathBuf;
use std::time::Duration;

use aeroalpes::sidecar::cliente::{self, Destino};
use clap::{Args, Subcommand};

use crate::fallo::Fallo;

/// Arguments of `aeroalpes sidecar-cliente`.
#[derive(Debug, Args)]
pub struct SidecarCliente {
    /// Address of the sidecar
    #[arg(long, value_name = "HOST:PUERTO", default_value = "localhost:50051")]
    direccion: String,
    /// How long to wait for an answer, in milliseconds
    #[arg(long, default_value_t = 10_000)]
    espera_ms: u64,
    #[command(subcommand)]
    pedido: Pedido,
}

/// What to ask.
#[derive(Debug, Subcommand)]
enum Pedido {
    /// Makes the reservation of a JSON file and prints it as it is stored
    Crear {
        /// The body of POST /vuelos/reserva
        archivo: PathBuf,
        /// Key under which a repeated call makes one reservation
        #[arg(long)]
        clave: Option<String>,
    },
    /// Prints a reservation
    Consultar {
        /// Its id
        id: String,
    },
}

/// Asks, and prints the answer.
pub async fn ejecutar(argumentos: SidecarCliente) -> Result<(), Fallo> {
    let SidecarCliente { direccion, espera_ms, pedido } = argumentos;
    let destino = Destino { direccion, espera: Duration::from_millis(espera_ms) };
    let answer = match pedido {
        Pedido::Crear { archivo, clave } => cliente::crear(&destino, &archivo, clave.as_deref()).await?,
        Pedido::Consultar { id } => cliente::consultar(&destino, &id).await?,
    };
    println!("{answer}");
    Ok(())
}
