//! Los rechazos de la API como códigos de gRPC.

use reqwest::StatusCode;
use serde::Deserialize;
use tonic::{Code, Status};

/// El cuerpo de un rechazo: una frase, y el campo si trata de uno.
#[derive(Deserialize)]
struct Rechazo {
    error: String,
    campo: Option<String>,
}

/// Hace el estado de una respuesta que no es la esperada, con el texto de la propia API.
pub(crate) fn de_respuesta(estado: StatusCode, cuerpo: &[u8]) -> Status {
    let texto = match serde_json::from_slice(cuerpo) {
        Ok(Rechazo { error, campo: None }) => error,
        Ok(Rechazo { error, campo: Some(campo) }) => format!("{error} ({campo})"),
        Err(_) => format!("La API respondió {estado}"),
    };
    Status::new(codigo(estado), texto)
}

fn codigo(estado: StatusCode) -> Code {
    match estado.as_u16() {
        400 | 413 | 422 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        408 | 504 => Code::DeadlineExceeded,
        409 => Code::FailedPrecondition,
        429 => Code::ResourceExhausted,
        501 => Code::Unimplemented,
        502 | 503 => Code::Unavailable,
        _ => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comprobar(estado: u16, cuerpo: &str, codigo: Code, texto: &str) {
        let estado = de_respuesta(StatusCode::from_u16(estado).unwrap(), cuerpo.as_bytes());
        assert_eq!((estado.code(), estado.message()), (codigo, texto));
    }

    #[test]
    fn un_rechazo_conserva_el_texto_de_la_api() {
        let regla = r#"{"error": "La ruta propuesta es incorrecta"}"#;
        comprobar(400, regla, Code::InvalidArgument, "La ruta propuesta es incorrecta");
        comprobar(422, r#"{"error": "Falta", "campo": "itinerarios"}"#, Code::InvalidArgument, "Falta (itinerarios)");
        comprobar(404, r#"{"error": "No existe"}"#, Code::NotFound, "No existe");
        comprobar(409, r#"{"error": "Ya fue pagada"}"#, Code::FailedPrecondition, "Ya fue pagada");
        comprobar(503, "<html>", Code::Unavailable, "La API respondió 503 Service Unavailable");
        comprobar(500, "", Code::Internal, "La API respondió 500 Internal Server Error");
        comprobar(302, "", Code::Internal, "La API respondió 302 Found");
    }
}
