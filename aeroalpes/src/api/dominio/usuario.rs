//! Usuarios de la tabla legado.

use std::fmt;

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

/// Lo que es un usuario, sin la contraseña. A las filas del sistema legado les puede faltar cualquier cosa.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DatosUsuario {
    pub nombres: Option<String>,
    pub apellidos: Option<String>,
    pub direccion: Option<String>,
    pub telefono: Option<String>,
    pub email: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Usuario {
    pub id: i32,
    pub datos: DatosUsuario,
}

#[cfg(test)]
mod tests {
    use super::Contrasena;

    #[test]
    fn una_contrasena_no_se_imprime() {
        assert_eq!(format!("{:?}", Contrasena::nueva("s3cr3t".into())), "Contrasena(…)");
    }
}
