//! Users of the legacy table.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};

use super::parametros::{Id, Parametros};
use crate::api::aplicacion::Error;
use crate::api::aplicacion::comando::{BorrarUsuario, CambiarUsuario, RegistrarUsuario, ejecutar};
use crate::api::aplicacion::puerto::{Almacen, Resumidor};
use crate::api::dominio::Usuario;
use crate::api::presentacion::cuerpo::Cuerpo;
use crate::api::presentacion::dto::{
    ErrorDto, PaginaUsuarios, UsuarioCambiado, UsuarioDto, UsuarioNuevo, leer_usuario_cambiado, leer_usuario_nuevo,
};
use crate::api::presentacion::{Contexto, Problema};

/// Registers a user. Of the password only an Argon2id hash is kept.
#[utoipa::path(
    post,
    path = "/cliente/usuarios",
    operation_id = "registrar_usuario",
    tag = "cliente",
    request_body = UsuarioNuevo,
    responses(
        (status = 201, body = UsuarioDto, description = "The user", headers(("Location" = String, description = "Address of the user"))),
        (status = 400, body = ErrorDto, description = "The body is not what it should be"),
        (status = 415, body = ErrorDto, description = "The body is not marked as JSON"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn registrar(
    State(contexto): State<Contexto>,
    Cuerpo(cuerpo): Cuerpo,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<UsuarioDto>), Problema> {
    let (datos, contrasena) = leer_usuario_nuevo(&cuerpo)?;
    let resumen = contexto.resumidor.resumir(contrasena).await?;
    let usuario = ejecutar(&contexto.almacen, &RegistrarUsuario { datos, resumen }).await?;
    let location = format!("/cliente/usuarios/{}", usuario.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(usuario.into())))
}

/// Lists users by rising id.
#[utoipa::path(
    get,
    path = "/cliente/usuarios",
    operation_id = "listar_usuarios",
    tag = "cliente",
    params(
        ("pagina" = Option<u32>, Query, description = "Number of the page, from 1", minimum = 1, maximum = 100_000),
        ("tamano" = Option<u32>, Query, description = "Most users of a page; 20 unless said otherwise", minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = PaginaUsuarios, description = "The page"),
        (status = 400, body = ErrorDto, description = "A parameter is not what it should be"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn listar(
    State(contexto): State<Contexto>,
    parametros: Parametros,
) -> Result<Json<PaginaUsuarios>, Problema> {
    let (pagina, tamano) = parametros.conocidos(&["pagina", "tamano"])?.pagina()?;
    let found = contexto.almacen.usuarios(pagina, tamano).await?;
    let usuarios = found.elementos.into_iter().map(UsuarioDto::from).collect();
    Ok(Json(PaginaUsuarios { usuarios, pagina, tamano, total: found.total }))
}

/// Reads a user.
#[utoipa::path(
    get,
    path = "/cliente/usuarios/{id}",
    operation_id = "leer_usuario",
    tag = "cliente",
    params(("id" = i32, Path, description = "Id of the user")),
    responses(
        (status = 200, body = UsuarioDto, description = "The user"),
        (status = 404, body = ErrorDto, description = "There is none"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn leer(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<UsuarioDto>, Problema> {
    let id = numero(&id)?;
    match contexto.almacen.usuario(id).await? {
        Some(usuario) => Ok(Json(usuario.into())),
        None => Err(Error::UsuarioInexistente { id }.into()),
    }
}

/// Replaces what a user is; without a password the old one stays.
#[utoipa::path(
    put,
    path = "/cliente/usuarios/{id}",
    operation_id = "cambiar_usuario",
    tag = "cliente",
    params(("id" = i32, Path, description = "Id of the user")),
    request_body = UsuarioCambiado,
    responses(
        (status = 200, body = UsuarioDto, description = "The user as it is now"),
        (status = 400, body = ErrorDto, description = "The body is not what it should be"),
        (status = 404, body = ErrorDto, description = "There is none"),
        (status = 415, body = ErrorDto, description = "The body is not marked as JSON"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn cambiar(
    State(contexto): State<Contexto>,
    Id(id): Id,
    Cuerpo(cuerpo): Cuerpo,
) -> Result<Json<UsuarioDto>, Problema> {
    let id = numero(&id)?;
    let (datos, contrasena) = leer_usuario_cambiado(&cuerpo)?;
    let resumen = match contrasena {
        Some(contrasena) => Some(contexto.resumidor.resumir(contrasena).await?),
        None => None,
    };
    let usuario = ejecutar(&contexto.almacen, &CambiarUsuario { usuario: Usuario { id, datos }, resumen }).await?;
    Ok(Json(usuario.into()))
}

/// Deletes a user.
#[utoipa::path(
    delete,
    path = "/cliente/usuarios/{id}",
    operation_id = "borrar_usuario",
    tag = "cliente",
    params(("id" = i32, Path, description = "Id of the user")),
    responses(
        (status = 204, description = "It is deleted"),
        (status = 404, body = ErrorDto, description = "There is none"),
        (status = 503, body = ErrorDto, description = "The database is away, or too many requests are being answered"),
    )
)]
pub(crate) async fn borrar(State(contexto): State<Contexto>, Id(id): Id) -> Result<StatusCode, Problema> {
    ejecutar(&contexto.almacen, &BorrarUsuario { id: numero(&id)? }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ids of users are numbers, so a text that is none is the id of no user.
fn numero(id: &str) -> Result<i32, Problema> {
    let shown = || id.chars().take(40).collect::<String>();
    id.parse().map_err(|_| Problema::nuevo(StatusCode::NOT_FOUND, format!("No existe el usuario {}", shown())))
}
