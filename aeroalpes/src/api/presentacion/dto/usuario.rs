//! Bodies of users. A password comes in and never goes out.

use crate::contrato::correo;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::dominio::{Contrasena, DatosUsuario, Usuario};
use crate::api::presentacion::Problema;
use crate::api::presentacion::lector::{Lugar, Objeto};

const MIEMBROS: [&str; 6] = ["nombres", "apellidos", "direccion", "telefono", "email", "password"];

/// A user to be registered.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by hand; the type is its description")]
pub(crate) struct UsuarioNuevo {
    /// First names.
    #[schema(min_length = 1, max_length = 255, example = "Ana María")]
    nombres: String,
    /// Family names.
    #[schema(min_length = 1, max_length = 255, example = "Rojas")]
    apellidos: String,
    /// Postal address.
    #[schema(max_length = 255)]
    direccion: Option<String>,
    /// Telephone number.
    #[schema(max_length = 255)]
    telefono: Option<String>,
    /// E-mail address.
    #[schema(max_length = 255, format = "email", example = "ana@example.com")]
    email: String,
    /// Password, of which a hash is kept.
    #[schema(min_length = 8, max_length = 200, write_only, format = "password", example = "muy secreta")]
    password: String,
}

/// A user as it shall be.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by hand; the type is its description")]
pub(crate) struct UsuarioCambiado {
    /// First names.
    #[schema(min_length = 1, max_length = 255)]
    nombres: String,
    /// Family names.
    #[schema(min_length = 1, max_length = 255)]
    apellidos: String,
    /// Postal address; absent, it is removed.
    #[schema(max_length = 255)]
    direccion: Option<String>,
    /// Telephone number; absent, it is removed.
    #[schema(max_length = 255)]
    telefono: Option<String>,
    /// E-mail address.
    #[schema(max_length = 255, format = "email")]
    email: String,
    /// New password; absent, the old one stays.
    #[schema(min_length = 8, max_length = 200, write_only, format = "password")]
    password: Option<String>,
}

/// A user. Rows of the legacy system may lack any text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsuarioDto {
    /// Its key.
    id: i32,
    /// First names.
    #[schema(required = true)]
    nombres: Option<String>,
    /// Family names.
    #[schema(required = true)]
    apellidos: Option<String>,
    /// Postal address.
    #[schema(required = true)]
    direccion: Option<String>,
    /// Telephone number.
    #[schema(required = true)]
    telefono: Option<String>,
    /// E-mail address.
    #[schema(required = true)]
    email: Option<String>,
}

/// A page of users by rising id.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaginaUsuarios {
    /// Those of this page.
    pub(crate) usuarios: Vec<UsuarioDto>,
    /// Number of the page, from 1.
    pub(crate) pagina: u32,
    /// Most users of a page.
    pub(crate) tamano: u32,
    /// All users.
    pub(crate) total: i64,
}

impl From<Usuario> for UsuarioDto {
    fn from(usuario: Usuario) -> Self {
        let DatosUsuario { nombres, apellidos, direccion, telefono, email } = usuario.datos;
        UsuarioDto { id: usuario.id, nombres, apellidos, direccion, telefono, email }
    }
}

/// Reads a user to be registered.
pub(crate) fn leer_usuario_nuevo(cuerpo: &Value) -> Result<(DatosUsuario, Contrasena), Problema> {
    let cuerpo = Lugar::nuevo(cuerpo, "").objeto(&MIEMBROS)?;
    Ok((datos(&cuerpo)?, contrasena(&cuerpo.exigir("password")?)?))
}

/// Reads a user as it shall be.
pub(crate) fn leer_usuario_cambiado(cuerpo: &Value) -> Result<(DatosUsuario, Option<Contrasena>), Problema> {
    let cuerpo = Lugar::nuevo(cuerpo, "").objeto(&MIEMBROS)?;
    Ok((datos(&cuerpo)?, cuerpo.opcional("password").map(|lugar| contrasena(&lugar)).transpose()?))
}

fn datos(cuerpo: &Objeto<'_>) -> Result<DatosUsuario, Problema> {
    let opcional = |nombre| cuerpo.opcional(nombre).map(|lugar| lugar.texto(255)).transpose();
    let email = cuerpo.exigir("email")?;
    let direccion_email = email.texto(255)?;
    if correo::leer(&direccion_email).is_none() {
        return Err(email.problema("No es una dirección de correo"));
    }
    Ok(DatosUsuario {
        nombres: Some(cuerpo.exigir("nombres")?.texto(255)?),
        apellidos: Some(cuerpo.exigir("apellidos")?.texto(255)?),
        direccion: opcional("direccion")?,
        telefono: opcional("telefono")?,
        email: Some(direccion_email),
    })
}

fn contrasena(lugar: &Lugar<'_>) -> Result<Contrasena, Problema> {
    let texto = lugar.texto_libre(200)?;
    if texto.chars().count() < 8 {
        return Err(lugar.problema("La contraseña debe tener al menos 8 caracteres"));
    }
    Ok(Contrasena::nueva(texto))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{leer_usuario_cambiado, leer_usuario_nuevo};

    fn usuario() -> Value {
        json!({"nombres": "Ana", "apellidos": "Rojas", "email": "ana@example.com", "password": "12345678"})
    }

    #[test]
    fn un_cambio_puede_dejar_la_contrasena() {
        let mut body = usuario();
        assert_eq!(leer_usuario_nuevo(&body).unwrap().1.revelar(), "12345678");
        body["password"].take();
        assert_eq!(leer_usuario_cambiado(&body).unwrap().1, None);
        assert_eq!(leer_usuario_nuevo(&body).unwrap_err().motivo(), "password: Debe ser un texto, no null");
    }

    #[test]
    fn las_faltas_no_muestran_la_contrasena() {
        let check = |name: &str, value: Value, motivo: &str| {
            let mut body = usuario();
            body[name] = value;
            assert_eq!(leer_usuario_nuevo(&body).unwrap_err().motivo(), motivo);
        };
        check("password", json!("corta"), "password: La contraseña debe tener al menos 8 caracteres");
        check("password", json!("x".repeat(201)), "password: El texto tiene más de 200 caracteres");
        for email in ["ana", "@x", "a@", "a@b@c", "a b@c", "ana@192.0.2.1"] {
            check("email", json!(email), "email: No es una dirección de correo");
        }
        check(
            "rol",
            json!("admin"),
            "rol: Este campo no se conoce; se admiten: nombres, apellidos, direccion, telefono, email, password",
        );
    }
}
