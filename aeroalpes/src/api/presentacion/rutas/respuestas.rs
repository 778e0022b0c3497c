//! Las respuestas que varias direcciones tienen en común, como las describe OpenAPI. Las da [`Problema`].
//!
//! [`Problema`]: crate::api::presentacion::Problema

#![allow(dead_code, reason = "los tipos son su descripción; nadie crea sus valores")]

use utoipa::IntoResponses;

use crate::api::presentacion::dto::ErrorDto;

/// Las de una dirección que usa la base de datos.
#[derive(IntoResponses)]
#[response(
    status = 503,
    description = "La base de datos no está, o hay demasiadas peticiones en curso",
    headers(("Retry-After" = String, description = "Segundos que esperar"))
)]
pub(super) struct SinServicio(ErrorDto);

/// Las de una dirección que lee un cuerpo.
#[derive(IntoResponses)]
pub(super) enum CuerpoErroneo {
    #[response(status = 400, description = "El cuerpo no es lo que debe ser, o rompe una regla")]
    Contenido(ErrorDto),
    #[response(status = 415, description = "El cuerpo no está marcado como JSON")]
    Tipo(ErrorDto),
}

/// La de una dirección que lee parámetros.
#[derive(IntoResponses)]
#[response(status = 400, description = "Un parámetro no es lo que debe ser")]
pub(super) struct ParametroErroneo(ErrorDto);

/// La de una dirección con un id.
#[derive(IntoResponses)]
#[response(status = 404, description = "No existe")]
pub(super) struct NoExiste(ErrorDto);

/// La de un cambio de estado.
#[derive(IntoResponses)]
#[response(status = 409, description = "Su estado no lo admite")]
pub(super) struct NoAdmitido(ErrorDto);
