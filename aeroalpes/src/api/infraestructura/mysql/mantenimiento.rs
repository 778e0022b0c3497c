//! Las tareas de fondo de la base de datos: preparar las tablas en cuanto está, y borrar cada hora las filas viejas.
//!
//! Las filas viejas son eventos publicados, claves de idempotencia e ids de mensajes atendidos. Un evento se queda una
//! semana aunque el relevo lee el binlog y no la tabla, para poder mirarlo y volver a leerlo con una instantánea. Una
//! clave se queda dos días: un cliente que repite más tarde un clic reserva de nuevo. El id de un mensaje se queda dos
//! semanas, más de lo que un *broker* vuelve a entregar.

use std::time::Duration;

use bitacora_outbox::{Cleaner, CleanerOptions};
use tokio::time::timeout;

use super::MySql;
use super::almacen::PLAZO_DE_FONDO;
use super::error::{falla, falla_de_bandeja};
use crate::api::infraestructura::Falla;

/// Pausa entre intentos de preparar las tablas; se dobla hasta la máxima.
const PAUSA: Duration = Duration::from_millis(200);
const PAUSA_MAXIMA: Duration = Duration::from_secs(5);

/// Prepara las tablas en cuanto está la base de datos, y otra vez cada vez que se ve que faltan. No termina por sí
/// sola.
pub(crate) async fn mantener_esquema(almacen: MySql) {
    loop {
        let mut pausa = PAUSA;
        while let Err(error) = almacen.preparar().await {
            tracing::warn!(%error, "todavía no se pueden preparar las tablas; la API contesta 503 hasta que lo estén");
            tokio::time::sleep(pausa).await;
            pausa = (pausa * 2).min(PAUSA_MAXIMA);
        }
        tracing::info!("las tablas están");
        almacen.sin_tablas().await;
    }
}

const DIA: Duration = Duration::from_secs(24 * 60 * 60);
const CADA: Duration = Duration::from_secs(60 * 60);

const CLAVES: &str =
    "DELETE FROM claves_idempotencia WHERE fecha < UTC_TIMESTAMP() - INTERVAL 2 DAY ORDER BY fecha LIMIT 1000";

/// Limpia una vez por hora. No termina por sí sola.
pub(crate) async fn limpiar(almacen: MySql) {
    let mut hora = tokio::time::interval(CADA);
    loop {
        hora.tick().await;
        almacen.con_tablas().await;
        let hecha = timeout(PLAZO_DE_FONDO, pasada(&almacen)).await;
        match hecha.unwrap_or_else(|silencio| Err(Falla::Ausente(silencio.into()))) {
            Ok(0) => {}
            Ok(filas) => {
                tracing::info!(filas, "se borraron filas viejas de las bandejas y de las claves de idempotencia");
            }
            Err(error) => tracing::warn!(%error, "las filas viejas se quedan hasta la hora siguiente"),
        }
    }
}

async fn pasada(almacen: &MySql) -> Result<u64, Falla> {
    let opciones = CleanerOptions { min_age: 7 * DIA, ..CleanerOptions::default() };
    let limpiador = Cleaner::new(&almacen.bandejas.salida, opciones).map_err(falla_de_bandeja)?;
    let mut conexion = almacen.pool.acquire().await.map_err(falla)?;
    let mut filas = limpiador.run(&mut *conexion).await.map_err(falla_de_bandeja)?;
    filas += almacen.bandejas.entrada.clean(&mut *conexion, 14 * DIA).await.map_err(falla_de_bandeja)?;
    loop {
        let borradas = sqlx::query(CLAVES).execute(&mut *conexion).await.map_err(falla)?.rows_affected();
        filas += borradas;
        if borradas < 1_000 {
            return Ok(filas);
        }
    }
}
