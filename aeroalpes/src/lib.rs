//! AeroAlpes, la aplicación de referencia de Bitácora: la aerolínea de un tutorial universitario.
//!
//! - [`contrato`]: lo que acuerdan todas las partes: temas, registros Avro, direcciones.
//! - [`consumo`]: suscripciones con los nombres de AeroAlpes, y lectura de sus registros.
//! - [`api`]: reservas y usuarios por HTTP, y órdenes de un tema.
//! - [`sidecar`]: la API por gRPC, y su cliente.
//! - [`notificaciones`]: un correo por cada evento.
//! - [`ui`]: la página y su websocket.
//! - [`causas`]: un error de una biblioteca, en una frase.
//!
//! El programa `aeroalpes` (`main.rs`, `orden`) solo lee argumentos y arranca una de las partes.

pub mod api;
pub mod causas;
pub mod consumo;
pub mod contrato;
pub mod notificaciones;
pub mod sidecar;
pub mod ui;
