//! Por qué no se puede leer un mensaje.

use std::fmt::Display;

/// Lo que tiene de malo un mensaje o su esquema.
#[derive(Debug, thiserror::Error)]
#[error("{motivo}{detalle}")]
pub(crate) struct Ilegible {
    /// Una oración que puede mostrar la página: nada en ella vino de fuera.
    pub(crate) motivo: &'static str,
    detalle: String,
}

impl Ilegible {
    pub(crate) fn nuevo(motivo: &'static str) -> Self {
        Self { motivo, detalle: String::new() }
    }

    /// Lo crea con detalles, que pueden venir de fuera: son para el registro y para las cartas muertas.
    pub(crate) fn con(motivo: &'static str, detalle: impl Display) -> Self {
        Self { motivo, detalle: format!(": {detalle}") }
    }
}
