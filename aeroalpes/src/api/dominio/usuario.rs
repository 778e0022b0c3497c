//! Users of the legacy table.

use std::fmt;

/// A password as it came in. It can be read for hashing only, and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Contrasena(String);

impl Contrasena {
    /// Takes the text.
    pub fn nueva(texto: String) -> Contrasena {
        Contrasena(texto)
    }

    /// Returns the text, for the hash.
    pub fn revelar(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Contrasena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contrasena(…)")
    }
}

/// What a user is, but for the password. Rows of the legacy system may lack any of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatosUsuario {
    /// First names.
    pub nombres: Option<String>,
    /// Family names.
    pub apellidos: Option<String>,
    /// Postal address.
    pub direccion: Option<String>,
    /// Telephone number.
    pub telefono: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// A stored user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usuario {
    /// Its key.
    pub id: i32,
    /// What it is.
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
