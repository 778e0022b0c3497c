//! Un cliente del sidecar: reservas de archivos JSON, respuestas en JSON, y la comprobación de salud.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::Value;
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::error::Error;
use crate::sidecar::vuelos::vuelos_client::VuelosClient;
use crate::sidecar::vuelos::{QueryReserva, Reserva};

/// Para la conexión; la llamada tiene su propio plazo.
const CONECTAR: Duration = Duration::from_secs(5);
/// Un archivo mayor no es una reserva.
const MAX_ARCHIVO: u64 = 1024 * 1024;

/// Argumentos de `aeroalpes sidecar-cliente`.
#[derive(Debug, Args)]
pub(crate) struct Argumentos {
    /// Dirección del sidecar
    #[arg(long, value_name = "HOST:PUERTO", default_value = "localhost:50051")]
    direccion: String,
    /// Cuánto se espera una respuesta, en milisegundos
    #[arg(long, default_value_t = 10_000)]
    espera_ms: u64,
    #[command(subcommand)]
    pedido: Pedido,
}

/// Qué se le pide.
#[derive(Debug, Subcommand)]
enum Pedido {
    /// Hace la reserva de un archivo JSON y la imprime como quedó guardada
    Crear {
        /// El cuerpo de POST /vuelos/reserva; `-` lo lee de la entrada
        archivo: PathBuf,
        /// Clave con la que una llamada repetida hace una sola reserva
        #[arg(long)]
        clave: Option<String>,
    },
    /// Imprime una reserva
    Consultar {
        /// Su id
        id: String,
    },
}

/// Lo que un archivo tiene además de una reserva del contrato.
#[derive(Deserialize)]
struct Cliente {
    id_cliente: Option<String>,
}

/// Llama al sidecar y devuelve su respuesta en JSON.
pub(crate) async fn ejecutar(argumentos: Argumentos) -> Result<String, Error> {
    let Argumentos { direccion, espera_ms, pedido } = argumentos;
    let espera = Duration::from_millis(espera_ms);
    let respuesta = match pedido {
        Pedido::Crear { archivo, clave } => {
            let peticion = en_plazo(peticion(&archivo, clave.as_deref())?, espera);
            VuelosClient::new(conectar(&direccion).await?).crear_reserva(peticion).await?
        }
        Pedido::Consultar { id } => {
            let peticion = en_plazo(Request::new(QueryReserva { id }), espera);
            VuelosClient::new(conectar(&direccion).await?).consultar_reserva(peticion).await?
        }
    };
    let incomprensible = |error: serde_json::Error| tonic::Status::internal(error.to_string());
    Ok(serde_json::to_string_pretty(&respuesta.into_inner()).map_err(incomprensible)?)
}

/// Acaba bien si el servicio de salud del sidecar dice que sirve, lo que hace mientras la API contesta.
pub(crate) async fn salud(direccion: &str, espera: Duration) -> Result<(), Error> {
    let peticion = en_plazo(Request::new(HealthCheckRequest { service: String::new() }), espera);
    let respuesta = HealthClient::new(conectar(direccion).await?).check(peticion).await?.into_inner();
    if respuesta.status == ServingStatus::Serving as i32 {
        return Ok(());
    }
    Err(tonic::Status::unavailable("la API no contesta").into())
}

fn en_plazo<T>(mut peticion: Request<T>, espera: Duration) -> Request<T> {
    peticion.set_timeout(espera);
    peticion
}

/// Hace la petición de un archivo; su cliente y la clave son metadatos.
fn peticion(archivo: &Path, clave: Option<&str>) -> Result<Request<Reserva>, Error> {
    let (reserva, id_cliente) = leer(archivo)?;
    let mut peticion = Request::new(reserva);
    for (nombre, valor) in [("id-cliente", id_cliente.as_deref()), ("idempotency-key", clave)] {
        if let Some(valor) = valor {
            let erroneo = |_| Error::Contenido {
                ruta: archivo.to_owned(),
                motivo: format!("{nombre} {valor:?} no es ASCII, como piden los metadatos de gRPC"),
            };
            peticion.metadata_mut().insert(nombre, AsciiMetadataValue::try_from(valor).map_err(erroneo)?);
        }
    }
    Ok(peticion)
}

async fn conectar(direccion: &str) -> Result<Channel, Error> {
    let sin_conexion = |source| Error::SinConexion { direccion: direccion.to_owned(), source };
    let endpoint = Endpoint::from_shared(format!("http://{direccion}")).map_err(sin_conexion)?;
    endpoint.connect_timeout(CONECTAR).connect().await.map_err(sin_conexion)
}

/// Lee una reserva y su cliente.
fn leer(archivo: &Path) -> Result<(Reserva, Option<String>), Error> {
    let no_sirve = |motivo: String| Error::Contenido { ruta: archivo.to_owned(), motivo };
    let ilegible = |source| Error::Archivo { ruta: archivo.to_owned(), source };
    let mut texto = Vec::new();
    abrir(archivo).and_then(|entrada| entrada.take(MAX_ARCHIVO + 1).read_to_end(&mut texto)).map_err(ilegible)?;
    if texto.len() as u64 > MAX_ARCHIVO {
        return Err(no_sirve(format!("tiene más de {MAX_ARCHIVO} bytes, el límite")));
    }
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

/// Abre un archivo, o la entrada del programa si se llama `-`.
fn abrir(archivo: &Path) -> std::io::Result<Box<dyn Read>> {
    if archivo == Path::new("-") { Ok(Box::new(std::io::stdin())) } else { Ok(Box::new(File::open(archivo)?)) }
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
