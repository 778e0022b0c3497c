//! Las órdenes, cada una en su archivo.

mod api;
mod notificaciones;
mod salud;
mod sidecar;
mod sidecar_cliente;
mod ui;

use clap::Subcommand;

use crate::fallo::Fallo;

/// Qué se ejecuta.
#[derive(Debug, Subcommand)]
pub(crate) enum Orden {
    /// Envía un correo por cada evento de una reserva
    Notificaciones(notificaciones::Notificaciones),
    /// Sirve la API HTTP: reservas y usuarios
    Api(api::Api),
    /// Pregunta a una parte en marcha si está bien; para las comprobaciones de contenedores, que no tienen otro
    /// programa
    Salud(salud::Salud),
    /// Sirve la página y su websocket: cada evento de las reservas y cada cambio de las tablas
    Ui(ui::Ui),
    /// Ofrece la API por gRPC
    Sidecar(sidecar::Sidecar),
    /// Llama a un sidecar: hace la reserva de un archivo JSON, o lee una
    SidecarCliente(sidecar_cliente::SidecarCliente),
}

/// Ejecuta una orden hasta que acaba o se le pide que termine.
pub(crate) async fn ejecutar(orden: Orden) -> Result<(), Fallo> {
    match orden {
        Orden::Notificaciones(argumentos) => notificaciones::ejecutar(argumentos).await,
        Orden::Api(argumentos) => api::ejecutar(argumentos).await,
        Orden::Salud(argumentos) => salud::ejecutar(argumentos).await,
        Orden::Ui(argumentos) => ui::ejecutar(argumentos).await,
        Orden::Sidecar(argumentos) => sidecar::ejecutar(argumentos).await,
        Orden::SidecarCliente(argumentos) => sidecar_cliente::ejecutar(argumentos).await,
    }
}
