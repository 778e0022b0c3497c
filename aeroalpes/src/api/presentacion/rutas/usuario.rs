//! Usuarios de la tabla legado.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::parametros::{Id, PaginaPedida, Parametros};
use super::respuestas::{CuerpoErroneo, NoExiste, ParametroErroneo, SinServicio};
use crate::api::aplicacion::{self, Error};
use crate::api::dominio::Usuario;
use crate::api::presentacion::Problema;
use crate::api::presentacion::contexto::Contexto;
use crate::api::presentacion::cuerpo::Cuerpo;
use crate::api::presentacion::dto::{
    PaginaUsuarios, UsuarioCambiado, UsuarioNuevo, leer_usuario_cambiado, leer_usuario_nuevo,
};

/// Enruta los usuarios.
pub(crate) fn rutas() -> OpenApiRouter<Contexto> {
    OpenApiRouter::new().routes(routes!(registrar_usuario, listar_usuarios)).routes(routes!(
        leer_usuario,
        cambiar_usuario,
        borrar_usuario
    ))
}

/// Registra un usuario. De la contraseña solo se guarda un resumen Argon2id.
#[utoipa::path(
    post,
    path = "/cliente/usuarios",
    tag = "cliente",
    request_body = UsuarioNuevo,
    responses(
        (
            status = 201, body = Usuario, description = "El usuario",
            headers(("Location" = String, description = "Dirección del usuario")),
        ),
        CuerpoErroneo, SinServicio,
    )
)]
async fn registrar_usuario(
    State(contexto): State<Contexto>,
    Cuerpo(cuerpo): Cuerpo,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Usuario>), Problema> {
    let (nuevo, contrasena) = leer_usuario_nuevo(&cuerpo)?;
    let resumen = contexto.resumidor.resumir(contrasena).await?;
    let usuario = aplicacion::usuario::registrar(&contexto.almacen, nuevo, &resumen).await?;
    let direccion = format!("/cliente/usuarios/{}", usuario.id);
    Ok((StatusCode::CREATED, [(LOCATION, direccion)], Json(usuario)))
}

/// Lista los usuarios por id creciente.
#[utoipa::path(
    get,
    path = "/cliente/usuarios",
    tag = "cliente",
    params(PaginaPedida),
    responses((status = 200, body = PaginaUsuarios, description = "La página"), ParametroErroneo, SinServicio)
)]
async fn listar_usuarios(
    State(contexto): State<Contexto>,
    parametros: Parametros,
) -> Result<Json<PaginaUsuarios>, Problema> {
    let (pagina, tamano) = parametros.conocidos(&["pagina", "tamano"])?.pagina()?;
    let (usuarios, total) = contexto.almacen.usuarios(pagina, tamano).await?;
    Ok(Json(PaginaUsuarios { usuarios, pagina, tamano, total }))
}

/// Lee un usuario.
#[utoipa::path(
    get,
    path = "/cliente/usuarios/{id}",
    tag = "cliente",
    params(("id" = i32, Path, description = "Id del usuario")),
    responses((status = 200, body = Usuario, description = "El usuario"), NoExiste, SinServicio)
)]
async fn leer_usuario(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<Usuario>, Problema> {
    let id = numero(&id)?;
    Ok(Json(contexto.almacen.usuario(id).await?.ok_or(Error::UsuarioInexistente { id })?))
}

/// Sustituye lo que es un usuario; sin contraseña queda la anterior.
#[utoipa::path(
    put,
    path = "/cliente/usuarios/{id}",
    tag = "cliente",
    params(("id" = i32, Path, description = "Id del usuario")),
    request_body = UsuarioCambiado,
    responses(
        (status = 200, body = Usuario, description = "El usuario como es ahora"),
        CuerpoErroneo, NoExiste, SinServicio,
    )
)]
async fn cambiar_usuario(
    State(contexto): State<Contexto>,
    Id(id): Id,
    Cuerpo(cuerpo): Cuerpo,
) -> Result<Json<Usuario>, Problema> {
    let (usuario, contrasena) = leer_usuario_cambiado(&cuerpo, numero(&id)?)?;
    let resumen = match contrasena {
        Some(contrasena) => Some(contexto.resumidor.resumir(contrasena).await?),
        None => None,
    };
    aplicacion::usuario::cambiar(&contexto.almacen, &usuario, resumen.as_deref()).await?;
    Ok(Json(usuario))
}

/// Borra un usuario.
#[utoipa::path(
    delete,
    path = "/cliente/usuarios/{id}",
    tag = "cliente",
    params(("id" = i32, Path, description = "Id del usuario")),
    responses((status = 204, description = "Está borrado"), NoExiste, SinServicio)
)]
async fn borrar_usuario(State(contexto): State<Contexto>, Id(id): Id) -> Result<StatusCode, Problema> {
    aplicacion::usuario::borrar(&contexto.almacen, numero(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Los ids de los usuarios son números, así que otro texto no es el id de ninguno.
fn numero(id: &str) -> Result<i32, Problema> {
    let mostrado = || id.chars().take(40).collect::<String>();
    id.parse().map_err(|_| Problema::nuevo(StatusCode::NOT_FOUND, format!("No existe el usuario {}", mostrado())))
}
