//! AeroAlpes, la aplicación de referencia de Bitácora: la aerolínea de un tutorial universitario.
//!
//! - `contrato`: lo que acuerdan todas las partes: temas, registros Avro, direcciones.
//! - `consumo`: suscripciones con los nombres de AeroAlpes, y lectura de sus registros.
//! - [`api`]: reservas y usuarios por HTTP, y órdenes de un tema.
//! - `escucha`: dónde escucha una parte.
//! - `http`: cómo llaman las otras partes a la API.
//! - `sidecar`: la API por gRPC, y su cliente.
//! - `notificaciones`: un correo por cada evento.
//! - `ui`: la página y su websocket.
//! - [`orden`]: el programa: lee argumentos y arranca una de las partes.
//! - `error`: lo que lo termina.

pub mod api;
mod consumo;
mod contrato;
mod error;
mod escucha;
mod http;
mod notificaciones;
pub mod orden;
mod sidecar;
mod ui;
