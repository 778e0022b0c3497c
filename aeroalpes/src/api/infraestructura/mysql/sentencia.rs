//! Trozos de sentencias.

use crate::api::dominio::Fecha;

/// Un momento como lo leen los dos servidores, que no toman la `Z`.
pub(super) fn sql_de(fecha: Fecha) -> String {
    fecha.to_string().replace('T', " ").replace('Z', "")
}

/// Marcas para tantas filas o valores, como `(?, ?), (?, ?)`.
pub(super) fn marcas(una: &str, cuantas: usize) -> String {
    vec![una; cuantas].join(", ")
}
