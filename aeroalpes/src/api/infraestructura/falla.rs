//! Cómo falla lo de fuera.

use thiserror::Error;

type Causa = Box<dyn std::error::Error + Send + Sync>;

/// Falla de la base de datos u otra parte externa, clasificada por lo que ayuda contra ella.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Falla {
    /// Un interbloqueo, un cerrojo que otra transacción no soltó, o una conexión rota antes de confirmar: no hay nada
    /// guardado, y repetir toda la unidad de trabajo puede ayudar.
    #[error("hay que repetir la unidad de trabajo: {0}")]
    Pasajera(#[source] Causa),
    /// No se llega a la base de datos, o no está lista; solo ayuda esperar.
    #[error("la base de datos no está: {0}")]
    Ausente(#[source] Causa),
    /// La conexión se rompió al confirmar: no se sabe si está guardado.
    #[error("la conexión se rompió al confirmar: {0}")]
    Dudosa(#[source] Causa),
    /// Más trabajo del que se puede hacer a la vez; solo ayuda esperar.
    #[error("demasiado a la vez: {0}")]
    Saturada(&'static str),
    /// Lo demás: un error nuestro, o una tabla que no es nuestra.
    #[error("inesperado: {0}")]
    Interna(#[source] Causa),
}
