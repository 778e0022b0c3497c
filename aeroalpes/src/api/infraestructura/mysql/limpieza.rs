//! Old rows go: relayed events, idempotency keys, ids of handled messages.
//!
//! An event stays a week although the relay reads the binlog and not the table, so that it can be looked at and read again by a
//! snapshot. A key stays two days: a client that repeats a click later books anew. A message's id stays two weeks, longer than a
//! broker redelivers.

use std::time::Duration;

use bitacora_outbox::{Cleaner, CleanerOptions};
use tokio::time::timeout;

use super::MySql;
use super::almacen::PLAZO_DE_FONDO;
use super::error::{falla, falla_de_bandeja};
use crate::api::aplicacion::Falla;

const DIA: Duration = Duration::from_secs(24 * 60 * 60);
const CADA: Duration = Duration::from_secs(60 * 60);

const CLAVES: &str =
    "DELETE FROM claves_idempotencia WHERE fecha < UTC_TIMESTAMP() - INTERVAL 2 DAY ORDER BY fecha LIMIT 1000";

/// Cleans once an hour. Runs until it is dropped.
pub async fn limpiar(almacen: MySql) {
    let mut hora = tokio::time::interval(CADA);
    loop {
        hora.tick().await;
        almacen.con_tablas().await;
        let hecha = timeout(PLAZO_DE_FONDO, pasada(&almacen)).await;
        match hecha.unwrap_or_else(|silencio| Err(Falla::Ausente(silencio.into()))) {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "old rows of outbox, inbox and idempotency keys are deleted"),
            Err(error) => tracing::warn!(%error, "old rows stay until the next hour"),
        }
    }
}

async fn pasada(almacen: &MySql) -> Result<u64, Falla> {
    let options = CleanerOptions { min_age: 7 * DIA, ..CleanerOptions::default() };
    let cleaner = Cleaner::new(&almacen.bandejas.salida, options).map_err(falla_de_bandeja)?;
    let mut conexion = almacen.pool.acquire().await.map_err(falla)?;
    let mut rows = cleaner.run(&mut *conexion).await.map_err(falla_de_bandeja)?;
    rows += almacen.bandejas.entrada.clean(&mut *conexion, 14 * DIA).await.map_err(falla_de_bandeja)?;
    loop {
        let deleted = sqlx::query(CLAVES).execute(&mut *conexion).await.map_err(falla)?.rows_affected();
        rows += deleted;
        if deleted < 1_000 {
            return Ok(rows);
        }
    }
}
