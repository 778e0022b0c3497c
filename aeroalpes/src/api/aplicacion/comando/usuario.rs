//! Users: registered, changed, deleted. Passwords have been hashed before a command holds them.

use super::Comando;
use crate::api::aplicacion::Error;
use crate::api::aplicacion::puerto::UnidadDeTrabajo;
use crate::api::dominio::{DatosUsuario, Usuario};

/// Registers a user.
#[derive(Debug)]
pub struct RegistrarUsuario {
    /// What the user is.
    pub datos: DatosUsuario,
    /// Hash of the password.
    pub resumen: String,
}

impl Comando for RegistrarUsuario {
    type Salida = Usuario;

    async fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> Result<Usuario, Error> {
        let id = unidad.registrar(&self.datos, &self.resumen).await?;
        Ok(Usuario { id, datos: self.datos.clone() })
    }
}

/// Replaces what a user is.
#[derive(Debug)]
pub struct CambiarUsuario {
    /// The user as it shall be.
    pub usuario: Usuario,
    /// Hash of a new password; without it the old one stays.
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

/// Deletes a user.
#[derive(Debug)]
pub struct BorrarUsuario {
    /// Which one.
    pub id: i32,
}

impl Comando for BorrarUsuario {
    type Salida = ();

    async fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> Result<(), Error> {
        if unidad.borrar(self.id).await? { Ok(()) } else { Err(Error::UsuarioInexistente { id: self.id }) }
    }
}
