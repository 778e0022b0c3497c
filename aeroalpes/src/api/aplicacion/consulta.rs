//! What queries ask for and answer.

use crate::api::dominio::Estado;

/// Which reservations are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtro {
    /// Those in this state.
    pub estado: Option<Estado>,
    /// Those of this client.
    pub id_cliente: Option<String>,
    /// Number of the page, from 1.
    pub pagina: u32,
    /// Most items of a page.
    pub tamano: u32,
}

/// A page of items, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagina<T> {
    /// The items of this page.
    pub elementos: Vec<T>,
    /// All that fit the filter.
    pub total: i64,
}

/// Rows before a page.
pub fn desplazamiento(pagina: u32, tamano: u32) -> u64 {
    u64::from(pagina.saturating_sub(1)) * u64::from(tamano)
}
