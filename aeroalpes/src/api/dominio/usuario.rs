//! Usuarios de la tabla legado.

use std::fmt;

/// Una contraseña como llegó. Solo se lee para resumirla, y nunca se imprime.
#[derive(Clone, PartialEq, Eq)]
pub struct Contrasena(String);

impl Contrasena {
    /// Toma el texto.
    pub fn nueva(texto: String) -> Contrasena {
        Contrasena(texto)
    }

    /// Devuelve el texto, para el resumen.
    pub fn revelar(&self) -> &str {
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
pub struct DatosUsuario {
    /// Nombres.
    pub nombres: Option<String>,
    /// Apellidos.
    pub apellidos: Option<String>,
    /// Dirección postal.
    pub direccion: Option<String>,
    /// Teléfono.
    pub telefono: Option<String>,
    /// Correo electrónico.
    pub email: Option<String>,
}

/// Un usuario guardado.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usuario {
    /// Su clave.
    pub id: i32,
    /// Lo que es.
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
