//! Las dos llamadas del contrato.

use std::time::Duration;

use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::http::Api;
use crate::sidecar::{api, json, vuelos};

/// Una llamada sin plazo recibe este.
pub(crate) const PLAZO: Duration = Duration::from_secs(30);

/// El servicio: todo lo decide la API.
#[derive(Debug)]
pub(crate) struct Servicio {
    pub(crate) api: Api,
}

#[tonic::async_trait]
impl vuelos::vuelos_server::Vuelos for Servicio {
    async fn crear_reserva(
        &self,
        peticion: Request<vuelos::Reserva>,
    ) -> Result<Response<vuelos::RespuestaReserva>, Status> {
        let plazo = plazo(peticion.metadata());
        let id_cliente = metadato(peticion.metadata(), "id-cliente")?;
        let clave = metadato(peticion.metadata(), "idempotency-key")?;
        let mensaje = peticion.into_inner();
        let clave = clave.or_else(|| mensaje.id.clone().filter(|id| !id.is_empty()));
        let pedido = json::pedido(&mensaje, id_cliente.as_deref())
            .map_err(|error| Status::invalid_argument(format!("La fecha no existe ({})", error.path())))?;
        dentro_de(plazo, async {
            let id = api::crear(&self.api, &pedido, clave.as_deref()).await?;
            let guardada = api::consultar(&self.api, &id).await.map_err(|estado| {
                let motivo = estado.message();
                let texto = format!("La reserva fue creada en /vuelos/reserva/{id}, pero no se pudo leer: {motivo}");
                Status::new(estado.code(), texto)
            })?;
            Ok(respuesta(guardada))
        })
        .await
    }

    async fn consultar_reserva(
        &self,
        peticion: Request<vuelos::QueryReserva>,
    ) -> Result<Response<vuelos::RespuestaReserva>, Status> {
        let plazo = plazo(peticion.metadata());
        let id = peticion.into_inner().id;
        dentro_de(plazo, async { Ok(respuesta(api::consultar(&self.api, &id).await?)) }).await
    }
}

fn respuesta(guardada: vuelos::Reserva) -> Response<vuelos::RespuestaReserva> {
    Response::new(vuelos::RespuestaReserva { mensaje: "OK".to_owned(), reserva: Some(guardada) })
}

/// Abandona el trabajo cuando vence el plazo de quien llama: ninguna llamada a la API dura más que la de gRPC.
async fn dentro_de<T>(plazo: Duration, trabajo: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let tarde = |_| Status::deadline_exceeded("La API no respondió a tiempo");
    Box::pin(tokio::time::timeout(plazo, trabajo)).await.map_err(tarde)?
}

fn metadato(metadatos: &MetadataMap, nombre: &str) -> Result<Option<String>, Status> {
    let erroneo = |_| Status::invalid_argument(format!("El metadato {nombre} no es un texto"));
    metadatos.get(nombre).map(|valor| valor.to_str().map(str::to_owned).map_err(erroneo)).transpose()
}

/// Lee el plazo de quien llama, un número de ocho cifras como mucho y una unidad, y guarda un poco para el camino de
/// la respuesta.
fn plazo(metadatos: &MetadataMap) -> Duration {
    let pedido = metadatos.get("grpc-timeout").and_then(|valor| valor.to_str().ok()).and_then(duracion);
    let pedido = pedido.unwrap_or(PLAZO).min(PLAZO);
    pedido - (pedido / 10).min(Duration::from_millis(50))
}

fn duracion(texto: &str) -> Option<Duration> {
    let (numero, unidad) = texto.split_at_checked(texto.len().checked_sub(1)?)?;
    let numero: u64 = numero.parse().ok().filter(|_| numero.len() <= 8)?;
    Some(match unidad {
        "H" => Duration::from_secs(numero * 3600),
        "M" => Duration::from_secs(numero * 60),
        "S" => Duration::from_secs(numero),
        "m" => Duration::from_millis(numero),
        "u" => Duration::from_micros(numero),
        "n" => Duration::from_nanos(numero),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn el_plazo_de_quien_llama_se_respeta() {
        let comprobar = |texto: Option<&str>, milisegundos: u64| {
            let mut metadatos = MetadataMap::new();
            if let Some(texto) = texto {
                metadatos.insert("grpc-timeout", texto.parse().unwrap());
            }
            assert_eq!(plazo(&metadatos), Duration::from_millis(milisegundos), "{texto:?}");
        };
        comprobar(Some("100m"), 90);
        comprobar(Some("2S"), 1_950);
        comprobar(Some("99999999H"), 29_950);
        comprobar(Some("999999999S"), 29_950);
        comprobar(Some("1x"), 29_950);
        comprobar(None, 29_950);
    }
}
