//! A steady load of bookings on a running API: `carga URL BOOKINGS_PER_SECOND SECONDS`.
//!
//! Open loop: a booking is due at its moment whether the ones before it were answered or not, and its time counts from that
//! moment, so a stall shows in every booking that it holds up. Prints one line of `name=value` words: how many were accepted,
//! how many were not, and the times in milliseconds.
#![allow(clippy::print_stdout, reason = "the figures are the program's result")]

use std::error::Error;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: carga URL BOOKINGS_PER_SECOND SECONDS";
    let url = format!("{}/vuelos/reserva", arguments.next().ok_or(usage)?);
    let per_second = arguments.next().ok_or(usage)?.parse::<u32>()?.max(1);
    let seconds = arguments.next().ok_or(usage)?.parse::<u32>()?;
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
    // Keys of an earlier run would only find its bookings again.
    let run = uuid::Uuid::now_v7().simple().to_string();
    let mut answers = JoinSet::new();
    let start = Instant::now();
    for number in 0..per_second * seconds {
        let due = start + Duration::from_secs(1) * number / per_second;
        tokio::time::sleep_until(due).await;
        let request = client.post(&url).header("Idempotency-Key", format!("{run}-{number}")).json(&reserva(number));
        answers.spawn(async move {
            let accepted = request.send().await.is_ok_and(|answer| answer.status() == reqwest::StatusCode::ACCEPTED);
            (accepted, due.elapsed())
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

/// A reservation of one flight out of some hundreds.
fn reserva(number: u32) -> Value {
    let day = number % 28 + 1;
    let hour = number / 28 % 20;
    json!({"itinerarios": [{"odos": [{"segmentos": [{"legs": [{
        "fecha_salida": format!("2026-11-{day:02}T{hour:02}:10:00Z"),
        "fecha_llegada": format!("2026-11-{day:02}T{:02}:40:00Z", hour + 3),
        "origen": {"codigo": "BOG", "nombre": "Bogotá, El Dorado"},
        "destino": {"codigo": "JFK", "nombre": "Nueva York, John F. Kennedy"},
    }]}]}], "pasajeros": [{"tipo": "ADULTO"}]}]})
}
