//! Un cliente del sidecar: reservas de archivos JSON, respuestas en JSON, y la comprobación de salud.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::sidecar::error::Error;
use crate::sidecar::vuelos::vuelos_client::VuelosClient;
use crate::sidecar::vuelos::{QueryReserva, Reserva, RespuestaReserva};

/// Para la conexión; la llamada tiene su propio plazo.
const CONECTAR: Duration = Duration::from_secs(5);
/// Un archivo mayor no es una reserva.
const MAX_ARCHIVO: u64 = 1024 * 1024;

/// Qué sidecar, y cuánto se le espera.
#[derive(Debug, Clone)]
pub struct Destino {
    /// `host:puerto`.
    pub direccion: String,
    /// Plazo de una llamada.
    pub espera: Duration,
}

/// Lo que un archivo tiene además de una reserva del contrato.
#[derive(Deserialize)]
struct Cliente {
    id_cliente: Option<String>,
}

/// Hace la reserva de un archivo JSON, el cuerpo de `POST /vuelos/reserva`, y devuelve la respuesta en JSON.
///
/// Con una clave, una llamada repetida hace una sola reserva.
///
/// # Errors
/// Un archivo que no es una reserva o tiene algo sin campo en el contrato, la falta de conexión, o el rechazo del
/// sidecar.
pub async fn crear(destino: &Destino, archivo: &Path, clave: Option<&str>) -> Result<String, Error> {
    let (reserva, id_cliente) = leer(archivo)?;
    let no_sirve = |motivo: String| Error::Contenido { ruta: archivo.to_owned(), motivo };
    let mut peticion = Request::new(reserva);
    for (nombre, valor) in [("id-cliente", id_cliente.as_deref()), ("idempotency-key", clave)] {
        if let Some(valor) = valor {
            let erroneo = |_| no_sirve(format!("{nombre} {valor:?} no es ASCII, como piden los metadatos de gRPC"));
            peticion.metadata_mut().insert(nombre, AsciiMetadataValue::try_from(valor).map_err(erroneo)?);
        }
    }
    peticion.set_timeout(destino.espera);
    let respuesta = VuelosClient::new(conectar(destino).await?).crear_reserva(peticion).await?;
    imprimir(&respuesta.into_inner())
}

/// Lee una reserva y devuelve la respuesta en JSON.
///
/// # Errors
/// La falta de conexión, o el rechazo del sidecar.
pub async fn consultar(destino: &Destino, id: &str) -> Result<String, Error> {
    let mut peticion = Request::new(QueryReserva { id: id.to_owned() });
    peticion.set_timeout(destino.espera);
    let respuesta = VuelosClient::new(conectar(destino).await?).consultar_reserva(peticion).await?;
    imprimir(&respuesta.into_inner())
}

/// Acaba bien si el servicio de salud del sidecar dice que sirve, lo que hace mientras la API contesta.
///
/// # Errors
/// La falta de conexión, o un sidecar que no sirve.
pub async fn salud(destino: &Destino) -> Result<(), Error> {
    let mut peticion = Request::new(HealthCheckRequest { service: String::new() });
    peticion.set_timeout(destino.espera);
    let respuesta = HealthClient::new(conectar(destino).await?).check(peticion).await?.into_inner();
    if respuesta.status == ServingStatus::Serving as i32 {
        return Ok(());
    }
    Err(Error::Rechazado { codigo: tonic::Code::Unavailable, mensaje: "la API no contesta".to_owned() })
}

async fn conectar(destino: &Destino) -> Result<Channel, Error> {
    let sin_conexion = |source| Error::SinConexion { direccion: destino.direccion.clone(), source };
    let endpoint = Endpoint::from_shared(format!("http://{}", destino.direccion)).map_err(sin_conexion)?;
    endpoint.connect_timeout(CONECTAR).connect().await.map_err(sin_conexion)
}

/// Lee una reserva y su cliente.
fn leer(archivo: &Path) -> Result<(Reserva, Option<String>), Error> {
    let no_sirve = |motivo: String| Error::Contenido { ruta: archivo.to_owned(), motivo };
    let ilegible = |source| Error::Archivo { ruta: archivo.to_owned(), source };
    let bytes = std::fs::metadata(archivo).map_err(ilegible)?.len();
    if bytes > MAX_ARCHIVO {
        return Err(no_sirve(format!("tiene {bytes} bytes y el límite es {MAX_ARCHIVO}")));
    }
    let texto = std::fs::read(archivo).map_err(ilegible)?;
    let json: Value = serde_json::from_slice(&texto).map_err(|error| no_sirve(format!("no es JSON: {error}")))?;
    let no_es = |error: &dyn std::error::Error| no_sirve(format!("no es una reserva: {error}"));
    let Cliente { id_cliente } = Cliente::deserialize(&json).map_err(|error| no_es(&error))?;
    let reserva: Reserva = serde_path_to_error::deserialize(&json).map_err(|error| no_es(&error))?;
    let mut llevado = serde_json::to_value(&reserva).map_err(|error| no_es(&error))?;
    if let Some(llevado) = llevado.as_object_mut() {
        llevado.insert("id_cliente".into(), id_cliente.as_deref().into());
    }
    match perdido(&json, &llevado, "") {
        Some(lugar) => Err(no_sirve(format!("{lugar} no tiene campo en el contrato de gRPC; envíelo a la propia API"))),
        None => Ok((reserva, id_cliente)),
    }
}

/// Encuentra lo que una reserva ha perdido camino de la forma del contrato; perder un null o un texto vacío no
/// es perder nada.
fn perdido(original: &Value, llevado: &Value, lugar: &str) -> Option<String> {
    match (original, llevado) {
        (Value::Object(campos), Value::Object(llevado)) => {
            campos.iter().filter(|(_, valor)| !valor.is_null() && **valor != "").find_map(|(nombre, valor)| {
                let lugar = if lugar.is_empty() { nombre.clone() } else { format!("{lugar}.{nombre}") };
                match llevado.get(nombre) {
                    Some(llevado) => perdido(valor, llevado, &lugar),
                    None => Some(lugar),
                }
            })
        }
        (Value::Array(valores), Value::Array(llevado)) => {
            let mut pares = valores.iter().zip(llevado).enumerate();
            pares.find_map(|(indice, (valor, llevado))| perdido(valor, llevado, &format!("{lugar}[{indice}]")))
        }
        _ => None,
    }
}

fn imprimir(respuesta: &RespuestaReserva) -> Result<String, Error> {
    let incomprensible = |error: serde_json::Error| tonic::Status::internal(error.to_string());
    Ok(serde_json::to_string_pretty(respuesta).map_err(incomprensible)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comprobar(texto: &str, esperado: Result<(), &str>) {
        let carpeta = tempfile::tempdir().unwrap();
        let ruta = carpeta.path().join("reserva.json");
        std::fs::write(&ruta, texto).unwrap();
        match (leer(&ruta), esperado) {
            (Ok(_), Ok(())) => {}
            (Err(error), Err(parte)) => assert!(error.to_string().contains(parte), "{error}"),
            (hallado, _) => panic!("{texto}: {hallado:?}"),
        }
    }

    #[test]
    fn un_archivo_es_una_reserva_o_dice_que_falla() {
        comprobar(
            r#"{"id_cliente": "17", "itinerarios": [{"odos": [{"segmentos": [{"legs": [{"fecha_salida": null}]}]}]}]}"#,
            Ok(()),
        );
        comprobar(
            r#"{"itinerarios": [{"odos": [], "pasajeros": [{"tipo": "ADULTO"}]}]}"#,
            Err("itinerarios[0].pasajeros no tiene campo"),
        );
        comprobar(r#"{"itinerarios": {}}"#, Err("no es una reserva"));
        comprobar("{", Err("no es JSON"));
        assert!(matches!(leer(Path::new("/ninguna/parte")), Err(Error::Archivo { .. })));
    }
}
