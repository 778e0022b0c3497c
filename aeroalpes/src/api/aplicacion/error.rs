//! Why a command or query did not do what it was asked for.

use thiserror::Error;

use crate::api::dominio;

type Causa = Box<dyn std::error::Error + Send + Sync>;

/// What a caller can be told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A rule of the domain.
    #[error(transparent)]
    Dominio(#[from] dominio::Error),
    /// There is no such reservation.
    #[error("No existe la reserva {id}")]
    ReservaInexistente {
        /// What was asked for.
        id: String,
    },
    /// There is no such user.
    #[error("No existe el usuario {id}")]
    UsuarioInexistente {
        /// What was asked for.
        id: i32,
    },
    /// An idempotency key that belongs to another request.
    #[error("La clave de Idempotency-Key ya se usó con otro cuerpo; use una clave nueva para otra reserva")]
    ClaveConOtroCuerpo,
    /// The database or another part of the outside.
    #[error(transparent)]
    Falla(#[from] Falla),
}

/// How the outside failed, by what helps.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Falla {
    /// A deadlock, a lock that another transaction kept, or a connection that broke before the commit: nothing is stored,
    /// and repeating the whole unit of work can help.
    #[error("the unit of work must be repeated: {0}")]
    Pasajera(#[source] Causa),
    /// The database cannot be reached, or is not ready; only waiting helps.
    #[error("the database is away: {0}")]
    Ausente(#[source] Causa),
    /// The connection broke during the commit: whether it is stored is not known.
    #[error("the connection broke during the commit: {0}")]
    Dudosa(#[source] Causa),
    /// Más trabajo del que se puede hacer a la vez; solo ayuda esperar.
    #[error("too much at once: {0}")]
    Saturada(&'static str),
    /// Anything else: a fault of ours, or a table that is not ours.
    #[error("unexpected: {0}")]
    Interna(#[source] Causa),
}
