//! Lo que piden y contestan las consultas.

use crate::api::dominio::Estado;

/// Qué reservas se quieren.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filtro {
    pub estado: Option<Estado>,
    pub id_cliente: Option<String>,
    /// Número de la página, desde 1.
    pub pagina: u32,
    /// Elementos de una página, como mucho.
    pub tamano: u32,
}

/// Una página de elementos, y cuántos hay en total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pagina<T> {
    pub elementos: Vec<T>,
    /// Todos los que cumplen el filtro.
    pub total: i64,
}

/// Devuelve las filas que hay antes de una página.
pub(crate) fn desplazamiento(pagina: u32, tamano: u32) -> u64 {
    u64::from(pagina.saturating_sub(1)) * u64::from(tamano)
}
