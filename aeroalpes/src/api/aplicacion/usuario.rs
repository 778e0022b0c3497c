//! Usuarios: registrar, cambiar, borrar. Las contraseñas llegan ya resumidas.

use super::Error;
use super::unidad_de_trabajo::ejecutar;
use crate::api::dominio::Usuario;
use crate::api::infraestructura::mysql::{MySql, Unidad};

/// Registra un usuario y lo devuelve con su clave.
pub(crate) async fn registrar(almacen: &MySql, usuario: Usuario, resumen: &str) -> Result<Usuario, Error> {
    let registrado = &usuario;
    let id = ejecutar(almacen, |mut unidad: Unidad| async move {
        let id = unidad.registrar(registrado, resumen).await?;
        Ok((unidad, id))
    })
    .await?;
    Ok(Usuario { id, ..usuario })
}

/// Sustituye lo que es un usuario; sin un resumen queda la contraseña anterior.
pub(crate) async fn cambiar(almacen: &MySql, usuario: &Usuario, resumen: Option<&str>) -> Result<(), Error> {
    ejecutar(almacen, |mut unidad: Unidad| async move {
        let existe = unidad.cambiar(usuario, resumen).await?;
        if existe { Ok((unidad, ())) } else { Err(Error::UsuarioInexistente { id: usuario.id }) }
    })
    .await
}

/// Borra un usuario.
pub(crate) async fn borrar(almacen: &MySql, id: i32) -> Result<(), Error> {
    ejecutar(almacen, |mut unidad: Unidad| async move {
        let existe = unidad.borrar(id).await?;
        if existe { Ok((unidad, ())) } else { Err(Error::UsuarioInexistente { id }) }
    })
    .await
}
