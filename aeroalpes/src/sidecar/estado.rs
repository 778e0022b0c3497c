//! The API's refusals as gRPC status codes.

use reqwest::StatusCode;
use serde::Deserialize;
use tonic::{Code, Status};

/// The body of a refusal: a sentence, and the field where it is about one.
#[derive(Deserialize)]
struct Rechazo {
    error: String,
    campo: Option<String>,
}

/// Makes the status of an answer that is not the expected one, with the API's own text.
pub(crate) fn de_respuesta(status: StatusCode, body: &[u8]) -> Status {
    let text = match serde_json::from_slice(body) {
        Ok(Rechazo { error, campo: None }) => error,
        Ok(Rechazo { error, campo: Some(campo) }) => format!("{error} ({campo})"),
        Err(_) => format!("La API respondió {status}"),
    };
    Status::new(code(status), text)
}

fn code(status: StatusCode) -> Code {
    match status.as_u16() {
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

    fn check(status: u16, body: &str, code: Code, text: &str) {
        let status = de_respuesta(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!((status.code(), status.message()), (code, text));
    }

    #[test]
    fn un_rechazo_conserva_el_texto_de_la_api() {
        let rule = r#"{"error": "La ruta propuesta es incorrecta"}"#;
        check(400, rule, Code::InvalidArgument, "La ruta propuesta es incorrecta");
        check(422, r#"{"error": "Falta", "campo": "itinerarios"}"#, Code::InvalidArgument, "Falta (itinerarios)");
        check(404, r#"{"error": "No existe"}"#, Code::NotFound, "No existe");
        check(409, r#"{"error": "Ya fue pagada"}"#, Code::FailedPrecondition, "Ya fue pagada");
        check(503, "<html>", Code::Unavailable, "La API respondió 503 Service Unavailable");
        check(500, "", Code::Internal, "La API respondió 500 Internal Server Error");
        check(302, "", Code::Internal, "La API respondió 302 Found");
    }
}
