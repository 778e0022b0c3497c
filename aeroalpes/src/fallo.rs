//! Por qué el programa termina con un código que no es cero.

use std::error::Error;
use std::process::ExitCode;

/// Una frase para quien ejecuta el programa.
#[derive(Debug)]
pub(crate) struct Fallo {
    frase: String,
}

impl Fallo {
    /// Crea un fallo de su frase.
    pub(crate) fn nuevo(frase: impl Into<String>) -> Self {
        Self { frase: frase.into() }
    }

    /// Escribe la frase en la salida de error y devuelve el código de salida.
    pub(crate) fn informar(&self) -> ExitCode {
        eprintln!("aeroalpes: {}", self.frase);
        ExitCode::FAILURE
    }
}

impl<E: Error> From<E> for Fallo {
    /// Toma el error de una parte, cuya frase ya dice su causa.
    fn from(error: E) -> Self {
        Self::nuevo(error.to_string())
    }
}
