//! La ejecución de un comando: una unidad de trabajo, sus plazos y sus repeticiones.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::timeout;

use super::Error;
use crate::api::infraestructura::Falla;
use crate::api::infraestructura::mysql::{MySql, Unidad};

/// Cuántas veces se intenta una unidad de trabajo.
const INTENTOS: u32 = 8;

/// Plazo de una unidad de trabajo, y aparte el de su confirmación. Es mayor que todas las esperas de cerrojos de una
/// unidad: una base de datos que no contesta para entonces ha enmudecido sin cerrar su *socket*.
const PLAZO: Duration = Duration::from_secs(12);

/// Hace un comando en una unidad de trabajo, que el comando devuelve, y la confirma. Los interbloqueos, las esperas de
/// cerrojos y las conexiones rotas antes de confirmar repiten el conjunto, un número limitado de veces; de un intento
/// anterior no queda nada guardado. Un intento acaba en un plazo, también si la base de datos enmudece.
///
/// # Errors
/// Lo que dice el comando, o cómo falló la base de datos.
pub(super) async fn ejecutar<T, F>(almacen: &MySql, comando: impl Fn(Unidad) -> F) -> Result<T, Error>
where
    F: Future<Output = Result<(Unidad, T), Error>>,
{
    let mut intento = 1;
    loop {
        match intentar(async { comando(Unidad::iniciar(almacen).await?).await }).await {
            Err(Error::Falla(Falla::Pasajera(causa))) if intento < INTENTOS => {
                tracing::debug!(intento, %causa, "se repite una unidad de trabajo");
                tokio::time::sleep(espera(intento)).await;
                intento += 1;
            }
            salida => return salida,
        }
    }
}

async fn intentar<T>(trabajo: impl Future<Output = Result<(Unidad, T), Error>>) -> Result<T, Error> {
    let (unidad, salida) = timeout(PLAZO, trabajo).await.map_err(|silencio| Falla::Ausente(silencio.into()))??;
    timeout(PLAZO, unidad.confirmar()).await.map_err(|silencio| Falla::Dudosa(silencio.into()))??;
    Ok(salida)
}

/// Devuelve una pausa que crece con los intentos. Las últimas cifras del reloj la hacen distinta en cada unidad, para
/// que dos que se interbloquearon no vuelvan a coincidir.
fn espera(intento: u32) -> Duration {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |transcurrido| transcurrido.subsec_nanos());
    Duration::from_micros(u64::from(intento) * 2_000 + u64::from(nanos / 100 % 8_000))
}
