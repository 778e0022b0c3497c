//! MySQL or MariaDB: connections, tables, writes and reads.
//!
//! - [`ConfiguracionDb`]: where the database is.
//! - [`MySql`]: the pool; begins units of work, reads for queries.
//! - [`mantener_esquema`]: creates and completes the tables, and waits for a database that is away.

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
