//! Usuarios de la tabla legado.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};

use super::parametros::{Id, Parametros};
use crate::api::aplicacion::Error;
use crate::api::aplicacion::comando::{BorrarUsuario, CambiarUsuario, RegistrarUsuario, ejecutar};
use crate::api::aplicacion::puerto::{Almacen, Resumidor};
use crate::api::dominio::Usuario;
use crate::api::presentacion::Problema;
use crate::api::presentacion::contexto::Contexto;
use crate::api::presentacion::cuerpo::Cuerpo;
use crate::api::presentacion::dto::{
    ErrorDto, PaginaUsuarios, UsuarioCambiado, UsuarioDto, UsuarioNuevo, leer_usuario_cambiado, leer_usuario_nuevo,
};

/// Registra un usuario. De la contraseña solo se guarda un resumen Argon2id.
#[utoipa::path(
    post,
    path = "/cliente/usuarios",
    operation_id = "registrar_usuario",
    tag = "cliente",
    request_body = UsuarioNuevo,
    responses(
        (status = 201, body = UsuarioDto, description = "El usuario", headers(("Location" = String, description = "Dirección del usuario"))),
        (status = 400, body = ErrorDto, description = "El cuerpo no es lo que debe ser"),
        (status = 415, body = ErrorDto, description = "El cuerpo no está marcado como JSON"),
        (status = 503, body = ErrorDto, description = "La base de datos no está, o hay demasiadas peticiones en curso"),
    )
)]
pub(crate) async fn registrar(
    State(contexto): State<Contexto>,
    Cuerpo(cuerpo): Cuerpo,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<UsuarioDto>), Problema> {
    let (datos, contrasena) = leer_usuario_nuevo(&cuerpo)?;
    let resumen = contexto.resumidor.resumir(contrasena).await?;
    let usuario = ejecutar(&contexto.almacen, &RegistrarUsuario { datos, resumen }).await?;
    let direccion = format!("/cliente/usuarios/{}", usuario.id);
    Ok((StatusCode::CREATED, [(LOCATION, direccion)], Json(usuario.into())))
}

/// Lista los usuarios por id creciente.
#[utoipa::path(
    get,
    path = "/cliente/usuarios",
    operation_id = "listar_usuarios",
    tag = "cliente",
    params(
        ("pagina" = Option<u32>, Query, description = "Número de la página, desde 1", minimum = 1, maximum = 100_000),
        ("tamano" = Option<u32>, Query, description = "Usuarios de una página, como mucho; 20 si no se dice otra cosa", minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = PaginaUsuarios, description = "La página"),
        (status = 400, body = ErrorDto, description = "Un parámetro no es lo que debe ser"),
        (status = 503, body = ErrorDto, description = "La base de datos no está, o hay demasiadas peticiones en curso"),
    )
)]
pub(crate) async fn listar(
    State(contexto): State<Contexto>,
    parametros: Parametros,
) -> Result<Json<PaginaUsuarios>, Problema> {
    let (pagina, tamano) = parametros.conocidos(&["pagina", "tamano"])?.pagina()?;
    let hallado = contexto.almacen.usuarios(pagina, tamano).await?;
    let usuarios = hallado.elementos.into_iter().map(UsuarioDto::from).collect();
    Ok(Json(PaginaUsuarios { usuarios, pagina, tamano, total: hallado.total }))
}

/// Lee un usuario.
#[utoipa::path(
    get,
    path = "/cliente/usuarios/{id}",
    operation_id = "leer_usuario",
    tag = "cliente",
    params(("id" = i32, Path, description = "Id del usuario")),
    responses(
        (status = 200, body = UsuarioDto, description = "El usuario"),
        (status = 404, body = ErrorDto, description = "No existe"),
        (status = 503, body = ErrorDto, description = "La base de datos no está, o hay demasiadas peticiones en curso"),
    )
)]
pub(crate) async fn leer(State(contexto): State<Contexto>, Id(id): Id) -> Result<Json<UsuarioDto>, Problema> {
    let id = numero(&id)?;
    match contexto.almacen.usuario(id).await? {
        Some(usuario) => Ok(Json(usuario.into())),
        None => Err(Error::UsuarioInexistente { id }.into()),
    }
}

/// Sustituye lo que es un usuario; sin contraseña queda la anterior.
#[utoipa::path(
    put,
    path = "/cliente/usuarios/{id}",
    operation_id = "cambiar_usuario",
    tag = "cliente",
    params(("id" = i32, Path, description = "Id del usuario")),
    request_body = UsuarioCambiado,
    responses(
        (status = 200, body = UsuarioDto, description = "El usuario como es ahora"),
        (status = 400, body = ErrorDto, description = "El cuerpo no es lo que debe ser"),
        (status = 404, body = ErrorDto, description = "No existe"),
        (status = 415, body = ErrorDto, description = "El cuerpo no está marcado como JSON"),
        (status = 503, body = ErrorDto, description = "La base de datos no está, o hay demasiadas peticiones en curso"),
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

/// Borra un usuario.
#[utoipa::path(
    delete,
    path = "/cliente/usuarios/{id}",
    operation_id = "borrar_usuario",
    tag = "cliente",
    params(("id" = i32, Path, description = "Id del usuario")),
    responses(
        (status = 204, description = "Está borrado"),
        (status = 404, body = ErrorDto, description = "No existe"),
        (status = 503, body = ErrorDto, description = "La base de datos no está, o hay demasiadas peticiones en curso"),
    )
)]
pub(crate) async fn borrar(State(contexto): State<Contexto>, Id(id): Id) -> Result<StatusCode, Problema> {
    ejecutar(&contexto.almacen, &BorrarUsuario { id: numero(&id)? }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Los ids de los usuarios son números, así que otro texto no es el id de ninguno.
fn numero(id: &str) -> Result<i32, Problema> {
    let mostrado = || id.chars().take(40).collect::<String>();
    id.parse().map_err(|_| Problema::nuevo(StatusCode::NOT_FOUND, format!("No existe el usuario {}", mostrado())))
}
