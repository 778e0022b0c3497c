//! Por qué un comando o una consulta no hizo lo que se le pidió.

use thiserror::Error;

use crate::api::dominio;

type Causa = Box<dyn std::error::Error + Send + Sync>;

/// Lo que se puede decir a quien llama.
#[derive(Debug, Error)]
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
