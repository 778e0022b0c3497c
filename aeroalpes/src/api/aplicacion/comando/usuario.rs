//! Usuarios: registrar, cambiar, borrar. Un comando recibe las contraseñas ya resumidas.

use super::Comando;
use crate::api::aplicacion::Error;
use crate::api::aplicacion::puerto::UnidadDeTrabajo;
use crate::api::dominio::{DatosUsuario, Usuario};

#[derive(Debug)]
pub(crate) struct RegistrarUsuario {
    pub datos: DatosUsuario,
    pub resumen: String,
}

impl Comando for RegistrarUsuario {
    type Salida = Usuario;

    async fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> Result<Usuario, Error> {
        let id = unidad.registrar(&self.datos, &self.resumen).await?;
        Ok(Usuario { id, datos: self.datos.clone() })
    }
}

/// Sustituye lo que es un usuario.
#[derive(Debug)]
pub(crate) struct CambiarUsuario {
    /// El usuario como debe ser.
    pub usuario: Usuario,
    /// Resumen de una contraseña nueva; sin él queda la anterior.
    pub resumen: Option<String>,
}

impl Comando for CambiarUsuario {
    type Salida = Usuario;

    async fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> Result<Usuario, Error> {
        if !unidad.cambiar(&self.usuario, self.resumen.as_deref()).await? {
            return Err(Error::UsuarioInexistente { id: self.usuario.id });
        }
        Ok(self.usuario.clone())
    }
}

#[derive(Debug)]
pub(crate) struct BorrarUsuario {
    pub id: i32,
}

impl Comando for BorrarUsuario {
    type Salida = ();

    async fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> Result<(), Error> {
        if unidad.borrar(self.id).await? { Ok(()) } else { Err(Error::UsuarioInexistente { id: self.id }) }
    }
}
