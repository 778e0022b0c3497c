//! A client of the sidecar: reservations out of JSON files, answers as JSON, and the health check.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::sidecar::error::Error;
use crate::sidecar::reserva::{Reserva, SinFecha};
use crate::sidecar::vuelos::vuelos_client::VuelosClient;
use crate::sidecar::vuelos::{self, QueryReserva};

/// For the connection; the call has its own deadline.
const CONECTAR: Duration = Duration::from_secs(5);
/// A file above it is no reservation.
const MAX_ARCHIVO: u64 = 1024 * 1024;

/// Which sidecar, and how long to wait for it.
#[derive(Debug, Clone)]
pub struct Destino {
    /// `host:port`.
    pub direccion: String,
    /// Deadline of a call.
    pub espera: Duration,
}

/// An answer as it is printed.
#[derive(Serialize)]
struct Respuesta {
    mensaje: String,
    reserva: Option<Reserva>,
}

/// Makes the reservation of a JSON file, the body of `POST /vuelos/reserva`, and returns the answer as JSON.
///
/// With a key, a repeated call makes one reservation.
///
/// # Errors
/// A file that is no reservation or holds what the contract has no field for, no connection, or the sidecar's refusal.
pub async fn crear(destino: &Destino, archivo: &Path, clave: Option<&str>) -> Result<String, Error> {
    let reserva = leer(archivo)?;
    let content = |reason: String| Error::Content { path: archivo.to_owned(), reason };
    let sin_fecha = |SinFecha { campo }| content(format!("{campo} is no date such as 2022-11-22T13:10:00Z"));
    let mut request = Request::new(reserva.mensaje().map_err(sin_fecha)?);
    for (name, value) in [("id-cliente", reserva.id_cliente.as_deref()), ("idempotency-key", clave)] {
        if let Some(value) = value {
            let wrong = |_| content(format!("{name} {value:?} is not plain ASCII, which gRPC's metadata are"));
            request.metadata_mut().insert(name, AsciiMetadataValue::try_from(value).map_err(wrong)?);
        }
    }
    request.set_timeout(destino.espera);
    let answer = VuelosClient::new(conectar(destino).await?).crear_reserva(request).await?;
    imprimir(answer.into_inner())
}

/// Reads a reservation and returns the answer as JSON.
///
/// # Errors
/// No connection, or the sidecar's refusal.
pub async fn consultar(destino: &Destino, id: &str) -> Result<String, Error> {
    let mut request = Request::new(QueryReserva { id: id.to_owned() });
    request.set_timeout(destino.espera);
    let answer = VuelosClient::new(conectar(destino).await?).consultar_reserva(request).await?;
    imprimir(answer.into_inner())
}

/// Succeeds when the sidecar's health service says that it serves, which it does while the API answers.
///
/// # Errors
/// No connection, or a sidecar that does not serve.
pub async fn salud(destino: &Destino) -> Result<(), Error> {
    let mut request = Request::new(HealthCheckRequest { service: String::new() });
    request.set_timeout(destino.espera);
    let answer = HealthClient::new(conectar(destino).await?).check(request).await?.into_inner();
    if answer.status == ServingStatus::Serving as i32 {
        return Ok(());
    }
    Err(Error::Refused { code: tonic::Code::Unavailable, message: "the API does not answer".to_owned() })
}

async fn conectar(destino: &Destino) -> Result<Channel, Error> {
    let connect = |source| Error::Connect { address: destino.direccion.clone(), source };
    let endpoint = Endpoint::from_shared(format!("http://{}", destino.direccion)).map_err(connect)?;
    endpoint.connect_timeout(CONECTAR).connect().await.map_err(connect)
}

fn leer(archivo: &Path) -> Result<Reserva, Error> {
    let content = |reason: String| Error::Content { path: archivo.to_owned(), reason };
    let file = |source| Error::File { path: archivo.to_owned(), source };
    let bytes = std::fs::metadata(archivo).map_err(file)?.len();
    if bytes > MAX_ARCHIVO {
        return Err(content(format!("it has {bytes} bytes, {MAX_ARCHIVO} are the limit")));
    }
    let text = std::fs::read(archivo).map_err(file)?;
    let json: Value = serde_json::from_slice(&text).map_err(|error| content(format!("it is no JSON: {error}")))?;
    let reserva: Reserva =
        serde_json::from_value(json.clone()).map_err(|error| content(format!("it is no reservation: {error}")))?;
    let carried = serde_json::to_value(&reserva).map_err(|error| content(error.to_string()))?;
    match perdido(&json, &carried, "") {
        Some(place) => Err(content(format!("{place} has no field in the gRPC contract; send it to the API itself"))),
        None => Ok(reserva),
    }
}

/// Finds what a reservation has lost on its way into the contract's shape; a null is nothing to lose.
fn perdido(original: &Value, carried: &Value, place: &str) -> Option<String> {
    match (original, carried) {
        (Value::Object(fields), Value::Object(kept)) => {
            fields.iter().filter(|(_, value)| !value.is_null()).find_map(|(name, value)| {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                match kept.get(name) {
                    Some(kept) => perdido(value, kept, &place),
                    None => Some(place),
                }
            })
        }
        (Value::Array(values), Value::Array(kept)) => {
            let mut pairs = values.iter().zip(kept).enumerate();
            pairs.find_map(|(index, (value, kept))| perdido(value, kept, &format!("{place}[{index}]")))
        }
        _ => None,
    }
}

fn imprimir(answer: vuelos::RespuestaReserva) -> Result<String, Error> {
    let unreadable = |message: String| Error::Refused { code: tonic::Code::Internal, message };
    let reserva = answer.reserva.as_ref().map(Reserva::completa).transpose();
    let reserva = reserva.map_err(|SinFecha { campo }| unreadable(format!("{campo} is no date")))?;
    let respuesta = Respuesta { mensaje: answer.mensaje, reserva };
    serde_json::to_string_pretty(&respuesta).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(), &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reserva.json");
        std::fs::write(&path, text).unwrap();
        match (leer(&path), expected) {
            (Ok(_), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn un_archivo_es_una_reserva_o_dice_que_falla() {
        check(
            r#"{"id_cliente": "17", "itinerarios": [{"odos": [{"segmentos": [{"legs": [{"fecha_salida": null}]}]}]}]}"#,
            Ok(()),
        );
        check(
            r#"{"itinerarios": [{"odos": [], "pasajeros": [{"tipo": "ADULTO"}]}]}"#,
            Err("itinerarios[0].pasajeros has no field"),
        );
        check(r#"{"itinerarios": {}}"#, Err("it is no reservation"));
        check("{", Err("it is no JSON"));
        assert!(matches!(leer(Path::new("/nowhere")), Err(Error::File { .. })));
    }
}
