//! Una carga constante de reservas sobre una API en marcha: `carga HOST:PUERTO RESERVAS_POR_SEGUNDO SEGUNDOS`.
//!
//! Lazo abierto: cada reserva toca en su momento, se haya contestado a las anteriores o no, y su tiempo cuenta desde
//! ese momento; así un atasco se ve en todas las reservas que retiene. Imprime una línea de palabras `nombre=valor`:
//! cuántas se aceptaron, cuántas no, y los tiempos en milisegundos.
#![allow(clippy::print_stdout, reason = "las cifras son el resultado del programa")]

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::Body;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Una reserva sin respuesta tras este tiempo ha fallado.
const PACIENCIA: Duration = Duration::from_secs(30);

// Un solo hilo: lo que gasta la carga le falta a lo que carga.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut argumentos = std::env::args().skip(1);
    let uso = "uso: carga HOST:PUERTO RESERVAS_POR_SEGUNDO SEGUNDOS";
    let url = format!("http://{}/vuelos/reserva", argumentos.next().ok_or(uso)?);
    let por_segundo = argumentos.next().ok_or(uso)?.parse::<u32>()?.max(1);
    let segundos = argumentos.next().ok_or(uso)?.parse::<u32>()?;
    let mut conector = HttpConnector::new();
    conector.set_nodelay(true);
    let cliente = Client::builder(TokioExecutor::new()).build(conector);
    let mut respuestas = JoinSet::new();
    let inicio = Instant::now();
    for numero in 0..por_segundo * segundos {
        let toca = inicio + Duration::from_secs(1) * numero / por_segundo;
        tokio::time::sleep_until(toca).await;
        let (cliente, url) = (cliente.clone(), url.clone());
        respuestas.spawn(async move {
            let respuesta = tokio::time::timeout(PACIENCIA, reservar(cliente, url, reserva(numero))).await;
            (matches!(respuesta, Ok(Ok(StatusCode::ACCEPTED))), toca.elapsed())
        });
    }
    let (mut tiempos, mut fallidas) = (Vec::new(), 0_u32);
    while let Some(respuesta) = respuestas.join_next().await {
        match respuesta? {
            (true, tiempo) => tiempos.push(tiempo),
            (false, _) => fallidas += 1,
        }
    }
    tiempos.sort_unstable();
    let en = |parte: usize| {
        tiempos.get(tiempos.len() * parte / 1000).or(tiempos.last()).map_or(0.0, Duration::as_secs_f64) * 1e3
    };
    println!(
        "accepted={} failed={fallidas} per_second={:.1} p50_ms={:.2} p99_ms={:.2} p999_ms={:.2} max_ms={:.2}",
        tiempos.len(),
        tiempos.len() as f64 / inicio.elapsed().as_secs_f64(),
        en(500),
        en(990),
        en(999),
        en(1000),
    );
    Ok(())
}

/// Reserva y lee la respuesta entera: así queda libre su conexión. Se abren tantas como reservas hay en curso a la vez.
async fn reservar(
    cliente: Client<HttpConnector, String>,
    url: String,
    reserva: Value,
) -> Result<StatusCode, Box<dyn Error + Send + Sync>> {
    let peticion = Request::post(url).header(CONTENT_TYPE, "application/json").body(reserva.to_string())?;
    let (cabecera, mut cuerpo) = cliente.request(peticion).await?.into_parts();
    while let Some(trama) = poll_fn(|contexto| Pin::new(&mut cuerpo).poll_frame(contexto)).await {
        trama?;
    }
    Ok(cabecera.status)
}

/// El cuerpo del contrato: una reserva de un vuelo de entre unos cientos.
fn reserva(numero: u32) -> Value {
    let dia = numero % 28 + 1;
    let hora = numero / 28 % 20;
    json!({"itinerarios": [{"odos": [{"segmentos": [{"legs": [{
        "fecha_salida": format!("2026-11-{dia:02}T{hora:02}:10:00Z"),
        "fecha_llegada": format!("2026-11-{dia:02}T{:02}:40:00Z", hora + 3),
        "origen": {"codigo": "BOG", "nombre": "Bogotá, El Dorado"},
        "destino": {"codigo": "JFK", "nombre": "Nueva York, John F. Kennedy"},
    }]}]}]}]})
}
