//! Broken rules of the domain, in the words that the client of the API reads.

use thiserror::Error;

use super::Estado;

/// A rule that a reservation would break.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A reservation without itineraries.
    #[error("La lista de itinerarios debe tener al menos un itinerario")]
    SinItinerarios,
    /// A leg that ends where it begins.
    #[error("La ruta propuesta es incorrecta")]
    RutaIncorrecta {
        /// Path of the leg within the list of itineraries.
        campo: String,
    },
    /// Passengers without an adult.
    #[error("Al menos un adulto debe ser parte del itinerario")]
    SinAdulto {
        /// Path of the passengers within the list of itineraries.
        campo: String,
    },
    /// A change that the state does not allow.
    #[error("La reserva está {de} y no puede pasar a {a}")]
    Transicion {
        /// The present state.
        de: Estado,
        /// The wanted one.
        a: Estado,
    },
}

impl Error {
    /// Returns the place of the fault in the request, where it has one.
    pub fn campo(&self) -> Option<&str> {
        match self {
            Error::SinItinerarios => Some("itinerarios"),
            Error::RutaIncorrecta { campo } | Error::SinAdulto { campo } => Some(campo),
            Error::Transicion { .. } => None,
        }
    }
}
