//! Usuarios de la tabla legado.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// Una contraseña como llegó. Solo se lee para resumirla, y nunca se imprime.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Contrasena(String);

impl Contrasena {
    pub(crate) fn nueva(texto: String) -> Contrasena {
        Contrasena(texto)
    }

    /// Devuelve el texto, para el resumen.
    pub(crate) fn revelar(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Contrasena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contrasena(…)")
    }
}

/// Un usuario. A las filas del sistema legado les puede faltar cualquier texto.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = UsuarioDto)]
pub(crate) struct Usuario {
    /// Su clave.
    pub id: i32,
    /// Nombres.
    #[schema(required = true)]
    pub nombres: Option<String>,
    /// Apellidos.
    #[schema(required = true)]
    pub apellidos: Option<String>,
    /// Dirección postal.
    #[schema(required = true)]
    pub direccion: Option<String>,
    /// Teléfono.
    #[schema(required = true)]
    pub telefono: Option<String>,
    /// Correo electrónico.
    #[schema(required = true)]
    pub email: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::Contrasena;

    #[test]
    fn una_contrasena_no_se_imprime() {
        assert_eq!(format!("{:?}", Contrasena::nueva("s3cr3t".into())), "Contrasena(…)");
    }
}
