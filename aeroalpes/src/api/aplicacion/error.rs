//! Por qué un comando o una consulta no hizo lo que se le pidió.

use crate::api::dominio;
use crate::api::infraestructura::Falla;

/// Lo que se puede decir a quien llama.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    #[error(transparent)]
    Dominio(#[from] dominio::Error),
    #[error("No existe la reserva {id}")]
    ReservaInexistente { id: String },
    #[error("No existe el usuario {id}")]
    UsuarioInexistente { id: i32 },
    /// Una clave de idempotencia que es de otra petición.
    #[error("La clave de Idempotency-Key ya se usó con otro cuerpo; use una clave nueva para otra reserva")]
    ClaveConOtroCuerpo,
    #[error(transparent)]
    Falla(#[from] Falla),
}
