//! MySQL o MariaDB: conexiones, tablas, escrituras y lecturas.
//!
//! - [`ConfiguracionDb`]: dónde está la base de datos.
//! - [`MySql`]: las conexiones; inicia unidades de trabajo, lee para las consultas.
//! - [`mantener_esquema`]: crea y completa las tablas, y espera a una base de datos que no está.

mod almacen;
mod configuracion;
mod consultas;
mod error;
mod esquema;
mod fila;
mod limpieza;
mod salida;
mod sentencia;
mod unidad;
mod vuelos;

pub use almacen::MySql;
pub use configuracion::{ConfiguracionDb, VariableErronea};
pub use esquema::mantener_esquema;
pub use limpieza::limpiar;
pub use unidad::Unidad;
