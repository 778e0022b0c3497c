//! The API over gRPC, and a client for it.
//!
//! - [`servir`] runs the server until it is asked to stop.
//! - [`cliente`]: what `aeroalpes sidecar-cliente` calls.
//! - `servicio`: the two calls; `api`: the API over HTTP; `estado`: its refusals as gRPC status codes.
//! - `reserva`: a reservation as JSON and as message; `fecha`: its moments.
//! - `salud`: what the health service says.

mod api;
pub mod cliente;
mod error;
mod estado;
mod fecha;
mod reserva;
mod salud;
mod servicio;
mod servidor;

/// What the contract `proto/vuelos.proto` gives: messages, server and client.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod vuelos {
    include!("generado/vuelos.rs");

    /// The contract itself, for reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generado/vuelos.bin");
}

pub use error::Error;
pub use servidor::{Configuracion, servir};
