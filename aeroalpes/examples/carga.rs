//! A steady load of bookings on a running API: `carga HOST:PORT BOOKINGS_PER_SECOND SECONDS`.
//!
//! Open loop: a booking is due at its moment whether the ones before it were answered or not, and its time counts from that
//! moment, so a stall shows in every booking that it holds up. Prints one line of `name=value` words: how many were accepted,
//! how many were not, and the times in milliseconds.
#![allow(clippy::print_stdout, reason = "the figures are the program's result")]

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

/// A booking that was not answered after this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

// One thread: what the load costs is missing to what it loads.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: carga HOST:PORT BOOKINGS_PER_SECOND SECONDS";
    let api = Arc::new(Api { host: arguments.next().ok_or(usage)?, idle: Mutex::default() });
    let per_second = arguments.next().ok_or(usage)?.parse::<u32>()?.max(1);
    let seconds = arguments.next().ok_or(usage)?.parse::<u32>()?;
    let mut answers = JoinSet::new();
    let start = Instant::now();
    for number in 0..per_second * seconds {
        let due = start + Duration::from_secs(1) * number / per_second;
        tokio::time::sleep_until(due).await;
        let api = Arc::clone(&api);
        answers.spawn(async move {
            let answer = tokio::time::timeout(PATIENCE, api.book(reserva(number).to_string())).await;
            (matches!(answer, Ok(Ok(StatusCode::ACCEPTED))), due.elapsed())
        });
    }
    let (mut times, mut failed) = (Vec::new(), 0_u32);
    while let Some(answer) = answers.join_next().await {
        match answer? {
            (true, time) => times.push(time),
            (false, _) => failed += 1,
        }
    }
    times.sort_unstable();
    let at =
        |part: usize| times.get(times.len() * part / 1000).or(times.last()).map_or(0.0, Duration::as_secs_f64) * 1e3;
    println!(
        "accepted={} failed={failed} per_second={:.1} p50_ms={:.2} p99_ms={:.2} p999_ms={:.2} max_ms={:.2}",
        times.len(),
        times.len() as f64 / start.elapsed().as_secs_f64(),
        at(500),
        at(990),
        at(999),
        at(1000),
    );
    Ok(())
}

/// The API, and connections to it that are free: as many are opened as bookings are under way at a time.
struct Api {
    host: String,
    idle: Mutex<Vec<SendRequest<String>>>,
}

impl Api {
    async fn book(&self, reserva: String) -> Result<StatusCode, Box<dyn Error + Send + Sync>> {
        let free = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match free {
            Some(connection) if !connection.is_closed() => connection,
            _ => self.connect().await?,
        };
        let request = Request::post("/vuelos/reserva")
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json")
            .body(reserva)?;
        let (head, mut body) = connection.send_request(request).await?.into_parts();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            frame?;
        }
        connection.ready().await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(head.status)
    }

    async fn connect(&self) -> Result<SendRequest<String>, Box<dyn Error + Send + Sync>> {
        let socket = TcpStream::connect(&self.host).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// The contract's body: a reservation of one flight out of some hundreds.
fn reserva(number: u32) -> Value {
    let day = number % 28 + 1;
    let hour = number / 28 % 20;
    json!({"itinerarios": [{"odos": [{"segmentos": [{"legs": [{
        "fecha_salida": format!("2026-11-{day:02}T{hour:02}:10:00Z"),
        "fecha_llegada": format!("2026-11-{day:02}T{:02}:40:00Z", hour + 3),
        "origen": {"codigo": "BOG", "nombre": "Bogotá, El Dorado"},
        "destino": {"codigo": "JFK", "nombre": "Nueva York, John F. Kennedy"},
    }]}]}]}]})
}
