//! Los cuerpos de los usuarios. Una contraseña entra y nunca sale.

use crate::contrato::correo;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::dominio::{Contrasena, Usuario};
use crate::api::presentacion::Problema;
use crate::api::presentacion::lector::Lugar;

const MIEMBROS: [&str; 6] = ["nombres", "apellidos", "direccion", "telefono", "email", "password"];

/// Un usuario que se registra.
#[derive(ToSchema)]
#[allow(dead_code, reason = "se lee a mano; el tipo es su descripción")]
pub(crate) struct UsuarioNuevo {
    /// Nombres.
    #[schema(min_length = 1, max_length = 255, example = "Ana María")]
    nombres: String,
    /// Apellidos.
    #[schema(min_length = 1, max_length = 255, example = "Rojas")]
    apellidos: String,
    /// Dirección postal.
    #[schema(max_length = 255)]
    direccion: Option<String>,
    /// Teléfono.
    #[schema(max_length = 255)]
    telefono: Option<String>,
    /// Correo electrónico.
    #[schema(max_length = 255, format = "email", example = "ana@example.com")]
    email: String,
    /// Contraseña, de la que se guarda un resumen.
    #[schema(min_length = 8, max_length = 200, write_only, format = "password", example = "muy secreta")]
    password: String,
}

/// Un usuario como debe ser.
#[derive(ToSchema)]
#[allow(dead_code, reason = "se lee a mano; el tipo es su descripción")]
pub(crate) struct UsuarioCambiado {
    /// Nombres.
    #[schema(min_length = 1, max_length = 255)]
    nombres: String,
    /// Apellidos.
    #[schema(min_length = 1, max_length = 255)]
    apellidos: String,
    /// Dirección postal; si falta, se quita.
    #[schema(max_length = 255)]
    direccion: Option<String>,
    /// Teléfono; si falta, se quita.
    #[schema(max_length = 255)]
    telefono: Option<String>,
    /// Correo electrónico.
    #[schema(max_length = 255, format = "email")]
    email: String,
    /// Contraseña nueva; si falta, queda la anterior.
    #[schema(min_length = 8, max_length = 200, write_only, format = "password")]
    password: Option<String>,
}

/// Una página de usuarios por id creciente.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaginaUsuarios {
    /// Los de esta página.
    pub(crate) usuarios: Vec<Usuario>,
    /// Número de la página, desde 1.
    pub(crate) pagina: u32,
    /// Usuarios de una página, como mucho.
    pub(crate) tamano: u32,
    /// Todos los usuarios.
    pub(crate) total: i64,
}

/// Lee un usuario que se registra, todavía sin clave.
pub(crate) fn leer_usuario_nuevo(cuerpo: &Value) -> Result<(Usuario, Contrasena), Problema> {
    let cuerpo = Lugar::nuevo(cuerpo, "");
    Ok((usuario(&cuerpo, 0)?, cuerpo.exigir("password", contrasena)?))
}

/// Lee un usuario como debe ser.
pub(crate) fn leer_usuario_cambiado(cuerpo: &Value, id: i32) -> Result<(Usuario, Option<Contrasena>), Problema> {
    let cuerpo = Lugar::nuevo(cuerpo, "");
    Ok((usuario(&cuerpo, id)?, cuerpo.opcional("password", contrasena)?))
}

fn usuario(cuerpo: &Lugar<'_>, id: i32) -> Result<Usuario, Problema> {
    cuerpo.objeto(&MIEMBROS)?;
    let texto = |lugar: &Lugar<'_>| lugar.texto(255);
    let email = cuerpo.exigir("email", |email| {
        let direccion = email.texto(255)?;
        correo::leer(&direccion).ok_or_else(|| email.problema("No es una dirección de correo"))?;
        Ok(direccion)
    })?;
    Ok(Usuario {
        id,
        nombres: Some(cuerpo.exigir("nombres", texto)?),
        apellidos: Some(cuerpo.exigir("apellidos", texto)?),
        direccion: cuerpo.opcional("direccion", texto)?,
        telefono: cuerpo.opcional("telefono", texto)?,
        email: Some(email),
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
        let mut cuerpo = usuario();
        assert_eq!(leer_usuario_nuevo(&cuerpo).unwrap().1.revelar(), "12345678");
        cuerpo["password"].take();
        assert_eq!(leer_usuario_cambiado(&cuerpo, 1).unwrap().1, None);
        assert_eq!(leer_usuario_nuevo(&cuerpo).unwrap_err().motivo(), "password: Debe ser un texto, no null");
    }

    #[test]
    fn las_faltas_no_muestran_la_contrasena() {
        let comprobar = |nombre: &str, valor: Value, motivo: &str| {
            let mut cuerpo = usuario();
            cuerpo[nombre] = valor;
            assert_eq!(leer_usuario_nuevo(&cuerpo).unwrap_err().motivo(), motivo);
        };
        comprobar("password", json!("corta"), "password: La contraseña debe tener al menos 8 caracteres");
        comprobar("password", json!("x".repeat(201)), "password: El texto tiene más de 200 caracteres");
        for email in ["ana", "@x", "a@", "a@b@c", "a b@c", "ana@192.0.2.1"] {
            comprobar("email", json!(email), "email: No es una dirección de correo");
        }
        comprobar(
            "rol",
            json!("admin"),
            "rol: Este campo no se conoce; se admiten: nombres, apellidos, direccion, telefono, email, password",
        );
    }
}
