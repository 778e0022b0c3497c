//! Una carga constante de reservas sobre una API en marcha: `carga HOST:PUERTO RESERVAS_POR_SEGUNDO SEGUNDOS`.
//!
//! Lazo abierto: cada reserva toca en su momento, se haya contestado a las anteriores o no, y su tiempo cuenta desde
//! ese momento; así un atasco se ve en todas las reservas que retiene. Imprime una línea de palabras `nombre=valor`:
//! cuántas se aceptaron, cuántas no, y los tiempos en milisegundos.
#![allow(clippy::print_stdout, reason = "las cifras son el resultado del programa")]

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Body;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Una reserva sin respuesta tras este tiempo ha fallado.
const PACIENCIA: Duration = Duration::from_secs(30);

// Un solo hilo: lo que gasta la carga le falta a lo que carga.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut argumentos = std::env::args().skip(1);
    let uso = "uso: carga HOST:PUERTO RESERVAS_POR_SEGUNDO SEGUNDOS";
    let api = Arc::new(Api { host: argumentos.next().ok_or(uso)?, libres: Mutex::default() });
    let por_segundo = argumentos.next().ok_or(uso)?.parse::<u32>()?.max(1);
    let segundos = argumentos.next().ok_or(uso)?.parse::<u32>()?;
    let mut respuestas = JoinSet::new();
    let inicio = Instant::now();
    for numero in 0..por_segundo * segundos {
        let toca = inicio + Duration::from_secs(1) * numero / por_segundo;
        tokio::time::sleep_until(toca).await;
        let api = Arc::clone(&api);
        respuestas.spawn(async move {
            let respuesta = tokio::time::timeout(PACIENCIA, api.reservar(reserva(numero).to_string())).await;
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

/// La API, y sus conexiones libres: se abren tantas como reservas hay en curso a la vez.
struct Api {
    host: String,
    libres: Mutex<Vec<SendRequest<String>>>,
}

impl Api {
    async fn reservar(&self, reserva: String) -> Result<StatusCode, Box<dyn Error + Send + Sync>> {
        let libre = self.libres.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut conexion = match libre {
            Some(conexion) if !conexion.is_closed() => conexion,
            _ => self.conectar().await?,
        };
        let peticion = Request::post("/vuelos/reserva")
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json")
            .body(reserva)?;
        let (cabecera, mut cuerpo) = conexion.send_request(peticion).await?.into_parts();
        while let Some(trama) = poll_fn(|contexto| Pin::new(&mut cuerpo).poll_frame(contexto)).await {
            trama?;
        }
        conexion.ready().await?;
        self.libres.lock().unwrap_or_else(PoisonError::into_inner).push(conexion);
        Ok(cabecera.status)
    }

    async fn conectar(&self) -> Result<SendRequest<String>, Box<dyn Error + Send + Sync>> {
        let socket = TcpStream::connect(&self.host).await?;
        socket.set_nodelay(true)?;
        let (emisor, conexion) = http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(conexion);
        Ok(emisor)
    }
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
