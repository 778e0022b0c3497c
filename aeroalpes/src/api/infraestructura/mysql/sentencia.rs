//! Pieces of statements.

use crate::api::dominio::Fecha;

/// A moment as both servers read it; they take no `Z`.
pub(super) fn sql_de(fecha: Fecha) -> String {
    fecha.to_string().replace('T', " ").replace('Z', "")
}

/// Placeholders for so many rows or values, as `(?, ?), (?, ?)`.
pub(super) fn marcas(una: &str, cuantas: usize) -> String {
    vec![una; cuantas].join(", ")
}
