//! Lo que hace la aplicación: comandos que cambian algo y consultas que leen, por separado.
//!
//! - [`comando`]: cada comando es un tipo; [`comando::ejecutar`] lo hace en una unidad de trabajo y repite el
//!   conjunto si la base de datos lo pide.
//! - [`consulta`]: lo que piden y contestan las consultas.
//! - [`puerto`]: lo que esta capa necesita de fuera (base de datos, resúmenes de contraseñas), como *traits* que hace
//!   `infraestructura`.
//!
//! Nunca aquí: SQL, HTTP, un mensaje al *broker*. Un evento es una fila de la misma transacción, y el relevo la
//! publica.

pub(super) mod comando;
pub(super) mod consulta;
mod error;
pub(super) mod puerto;

pub(super) use error::{Error, Falla};
