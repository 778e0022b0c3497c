//! La API por gRPC, y un cliente suyo.
//!
//! - [`servir`] sirve hasta que se le pide que termine.
//! - [`cliente`]: lo que llama `aeroalpes sidecar-cliente`.
//! - `servicio`: las dos llamadas; `api`: la API por HTTP; `estado`: sus rechazos como códigos de gRPC.
//! - `json`: los mensajes como JSON de la API.

mod api;
pub(crate) mod cliente;
mod estado;
pub(crate) mod json;
mod servicio;
mod servidor;

/// Lo que da el contrato `proto/vuelos.proto`: mensajes, servidor y cliente.
#[allow(unreachable_pub, clippy::all, clippy::pedantic)]
pub(crate) mod vuelos {
    include!(concat!(env!("OUT_DIR"), "/vuelos.rs"));

    /// El contrato mismo, para la reflexión.
    pub(crate) const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/vuelos.bin"));
}

pub(crate) use servidor::{Argumentos, servir};
