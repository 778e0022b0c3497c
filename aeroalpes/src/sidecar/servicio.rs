//! The two calls of the contract.

use std::time::Duration;

use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::sidecar::api::Api;
use crate::sidecar::reserva::{Reserva, SinFecha};
use crate::sidecar::vuelos;

/// A call without a deadline gets this one.
const PLAZO: Duration = Duration::from_secs(30);

/// The service: everything is the API's to decide.
#[derive(Debug)]
pub(crate) struct Servicio {
    pub(crate) api: Api,
}

#[tonic::async_trait]
impl vuelos::vuelos_server::Vuelos for Servicio {
    async fn crear_reserva(
        &self,
        request: Request<vuelos::Reserva>,
    ) -> Result<Response<vuelos::RespuestaReserva>, Status> {
        let plazo = plazo(request.metadata());
        let id_cliente = metadato(request.metadata(), "id-cliente")?;
        let clave = metadato(request.metadata(), "idempotency-key")?;
        let message = request.into_inner();
        let clave = clave.or_else(|| message.id.clone().filter(|id| !id.is_empty()));
        let pedida = Reserva::pedida(&message, id_cliente).map_err(|error| sin_fecha(&error))?;
        dentro_de(plazo, async {
            let path = self.api.crear(&pedida, clave.as_deref()).await?;
            let stored = self.api.leer(&path).await.map_err(|status| {
                Status::new(
                    status.code(),
                    format!("La reserva fue creada en {path}, pero no se pudo leer: {}", status.message()),
                )
            })?;
            respuesta(&stored)
        })
        .await
    }

    async fn consultar_reserva(
        &self,
        request: Request<vuelos::QueryReserva>,
    ) -> Result<Response<vuelos::RespuestaReserva>, Status> {
        let plazo = plazo(request.metadata());
        let id = request.into_inner().id;
        dentro_de(plazo, async { respuesta(&self.api.consultar(&id).await?) }).await
    }
}

fn respuesta(stored: &Reserva) -> Result<Response<vuelos::RespuestaReserva>, Status> {
    let message = stored.mensaje().map_err(|SinFecha { campo }| {
        Status::internal(format!("La API respondió algo que no es una fecha ({campo})"))
    })?;
    Ok(Response::new(vuelos::RespuestaReserva { mensaje: "OK".to_owned(), reserva: Some(message) }))
}

fn sin_fecha(SinFecha { campo }: &SinFecha) -> Status {
    Status::invalid_argument(format!("La fecha no existe ({campo})"))
}

/// Gives up when the caller does, so that no call to the API outlives its reason.
async fn dentro_de<T>(plazo: Duration, work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let late = |_| Status::deadline_exceeded("La API no respondió a tiempo");
    Box::pin(tokio::time::timeout(plazo, work)).await.map_err(late)?
}

fn metadato(metadata: &MetadataMap, name: &str) -> Result<Option<String>, Status> {
    let wrong = |_| Status::invalid_argument(format!("El metadato {name} no es un texto"));
    metadata.get(name).map(|value| value.to_str().map(str::to_owned).map_err(wrong)).transpose()
}

/// Reads the caller's deadline, a number of at most eight digits and a unit, and keeps a little of it for the answer's way.
fn plazo(metadata: &MetadataMap) -> Duration {
    let asked = metadata.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(duracion);
    let asked = asked.unwrap_or(PLAZO).min(PLAZO);
    asked - (asked / 10).min(Duration::from_millis(50))
}

fn duracion(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok().filter(|_| number.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn el_plazo_de_quien_llama_se_respeta() {
        let check = |text: Option<&str>, milliseconds: u64| {
            let mut metadata = MetadataMap::new();
            if let Some(text) = text {
                metadata.insert("grpc-timeout", text.parse().unwrap());
            }
            assert_eq!(plazo(&metadata), Duration::from_millis(milliseconds), "{text:?}");
        };
        check(Some("100m"), 90);
        check(Some("2S"), 1_950);
        check(Some("99999999H"), 29_950);
        check(Some("999999999S"), 29_950);
        check(Some("1x"), 29_950);
        check(None, 29_950);
    }
}
