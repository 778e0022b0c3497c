//! The subcommands, each in its own file.

mod api;
mod notificaciones;
mod salud;
mod sidecar;
mod sidecar_cliente;
mod ui;

use clap::Subcommand;

use crate::fallo::Fallo;

/// What to run.
#[derive(Debug, Subcommand)]
pub enum Orden {
    /// Sends a mail for each event of a reservation
    Notificaciones(notificaciones::Notificaciones),
    /// Serves the HTTP API: reservations, users
    Api(api::Api),
    /// Asks a running part whether it is well; for health checks of containers, which have no other program
    Salud(salud::Salud),
    /// Page and websocket, every event of reservations and every change of the tables
    Ui(ui::Ui),
    /// Offers the API over gRPC
    Sidecar(sidecar::Sidecar),
    /// Calls a sidecar: makes the reservation of a JSON file, or reads one
    SidecarCliente(sidecar_cliente::SidecarCliente),
}

/// Runs a subcommand until it is done or asked to end.
pub async fn ejecutar(orden: Orden) -> Result<(), Fallo> {
    match orden {
        Orden::Notificaciones(argumentos) => notificaciones::ejecutar(argumentos).await,
        Orden::Api(argumentos) => api::ejecutar(argumentos).await,
        Orden::Salud(argumentos) => salud::ejecutar(argumentos).await,
        Orden::Ui(argumentos) => ui::ejecutar(argumentos).await,
        Orden::Sidecar(argumentos) => sidecar::ejecutar(argumentos).await,
        Orden::SidecarCliente(argumentos) => sidecar_cliente::ejecutar(argumentos).await,
    }
}
