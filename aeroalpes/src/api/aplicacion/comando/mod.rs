//! Commands: each is a type with its data; running one is one unit of work.

mod atender_mensaje;
mod cambiar_estado;
mod crear_reserva;
mod usuario;

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::timeout;

use super::puerto::{Almacen, UnidadDeTrabajo};
use super::{Error, Falla};

pub use atender_mensaje::{Atencion, AtenderMensaje};
pub use cambiar_estado::{CambiarEstado, Cambio};
pub use crear_reserva::{CrearReserva, Pedido};
pub use usuario::{BorrarUsuario, CambiarUsuario, RegistrarUsuario};

/// How often a unit of work is tried.
const INTENTOS: u32 = 8;

/// How long a unit of work may take, and then its commit. Longer than the lock waits of one unit together; a database that has
/// not answered by then has fallen silent, which no closed socket tells.
const PLAZO: Duration = Duration::from_secs(12);

/// A change of the application.
pub trait Comando: Sync {
    /// What the caller learns.
    type Salida: Send;

    /// Does the change within a unit of work that the caller confirms.
    ///
    /// May run several times: nothing of an earlier try is stored.
    fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> impl Future<Output = Result<Self::Salida, Error>> + Send;
}

/// Runs a command in a unit of work and confirms it. Deadlocks, lock waits and connections that broke before the commit
/// repeat the whole, a bounded number of times. A try ends within a bound, also when the database falls silent.
///
/// # Errors
/// What the command says, or how the database failed.
pub async fn ejecutar<A: Almacen, C: Comando>(almacen: &A, comando: &C) -> Result<C::Salida, Error> {
    let mut intento = 1;
    loop {
        match intentar(almacen, comando).await {
            Err(Error::Falla(Falla::Pasajera(causa))) if intento < INTENTOS => {
                tracing::debug!(intento, %causa, "a unit of work is repeated");
                tokio::time::sleep(espera(intento)).await;
                intento += 1;
            }
            salida => return salida,
        }
    }
}

async fn intentar<A: Almacen, C: Comando>(almacen: &A, comando: &C) -> Result<C::Salida, Error> {
    let trabajo = async {
        let mut unidad = almacen.iniciar().await?;
        let salida = comando.aplicar(&mut unidad).await?;
        Ok::<_, Error>((unidad, salida))
    };
    let (unidad, salida) = timeout(PLAZO, trabajo).await.map_err(|silencio| Falla::Ausente(silencio.into()))??;
    timeout(PLAZO, unidad.confirmar()).await.map_err(|silencio| Falla::Dudosa(silencio.into()))??;
    Ok(salida)
}

/// Grows with the tries; the clock's lowest digits keep those who met in a deadlock from meeting again.
fn espera(intento: u32) -> Duration {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    Duration::from_micros(u64::from(intento) * 2_000 + u64::from(nanos / 100 % 8_000))
}
