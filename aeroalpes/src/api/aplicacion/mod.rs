//! Lo que hace la aplicación: cada comando es una función, y una unidad de trabajo que se confirma entera o no deja
//! nada. Las consultas son las lecturas de [`MySql`], que no pasan por aquí.
//!
//! Nunca aquí: SQL, HTTP, un mensaje al *broker*. Un evento es una fila de la misma transacción, y el relevo la
//! publica.
//!
//! [`MySql`]: crate::api::infraestructura::mysql::MySql

mod error;
pub(super) mod reserva;
mod unidad_de_trabajo;
pub(super) mod usuario;

pub(super) use error::Error;
