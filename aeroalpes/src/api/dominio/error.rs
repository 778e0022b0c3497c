//! Reglas rotas del dominio, con las palabras que lee el cliente de la API.

use thiserror::Error;

use super::Estado;

/// Una regla que una reserva rompería.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum Error {
    #[error("La lista de itinerarios debe tener al menos un itinerario")]
    SinItinerarios,
    /// Un leg que acaba donde empieza.
    #[error("La ruta propuesta es incorrecta")]
    RutaIncorrecta {
        /// Ruta del leg en la lista de itinerarios.
        campo: String,
    },
    #[error("Al menos un adulto debe ser parte del itinerario")]
    SinAdulto {
        /// Ruta de los pasajeros en la lista de itinerarios.
        campo: String,
    },
    #[error("La reserva está {de} y no puede pasar a {a}")]
    Transicion { de: Estado, a: Estado },
}

impl Error {
    /// Devuelve el lugar del error en la petición, si lo tiene.
    pub(crate) fn campo(&self) -> Option<&str> {
        match self {
            Error::SinItinerarios => Some("itinerarios"),
            Error::RutaIncorrecta { campo } | Error::SinAdulto { campo } => Some(campo),
            Error::Transicion { .. } => None,
        }
    }
}
