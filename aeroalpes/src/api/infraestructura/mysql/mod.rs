//! MySQL o MariaDB: conexiones, tablas, escrituras y lecturas.
//!
//! - [`ConfiguracionDb`]: dónde está la base de datos.
//! - [`MySql`]: las conexiones; inicia unidades de trabajo, lee para las consultas.
//! - [`mantener_esquema`]: crea y completa las tablas, y espera a una base de datos que no está.
//! - [`limpiar`]: borra las filas viejas.
//! - `fila`: el árbol de una reserva, leg a leg.

mod almacen;
mod configuracion;
mod consultas;
mod error;
mod esquema;
mod fila;
mod mantenimiento;
mod salida;
mod unidad;
mod vuelos;

pub(crate) use almacen::MySql;
pub(crate) use configuracion::{ConfiguracionDb, VariableErronea};
pub(crate) use consultas::Filtro;
pub(crate) use mantenimiento::{limpiar, mantener_esquema};
pub(crate) use unidad::{ClaveIdempotencia, Unidad};
