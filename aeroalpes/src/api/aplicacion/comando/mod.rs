//! Comandos: cada uno es un tipo con sus datos; ejecutarlo es una unidad de trabajo.

mod atender_mensaje;
mod cambiar_estado;
mod crear_reserva;
mod usuario;

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::timeout;

use super::puerto::{Almacen, UnidadDeTrabajo};
use super::{Error, Falla};

pub(crate) use atender_mensaje::{Atencion, AtenderMensaje};
pub(crate) use cambiar_estado::{CambiarEstado, Cambio};
pub(crate) use crear_reserva::{CrearReserva, Pedido};
pub(crate) use usuario::{BorrarUsuario, CambiarUsuario, RegistrarUsuario};

/// Cuántas veces se intenta una unidad de trabajo.
const INTENTOS: u32 = 8;

/// Plazo de una unidad de trabajo, y aparte el de su confirmación. Es mayor que todas las esperas de cerrojos de una
/// unidad: una base de datos que no contesta para entonces ha enmudecido sin cerrar su *socket*.
const PLAZO: Duration = Duration::from_secs(12);

/// Un cambio de la aplicación.
pub(crate) trait Comando: Sync {
    /// Lo que recibe quien lo ejecuta.
    type Salida: Send;

    /// Hace el cambio en una unidad de trabajo que confirma quien llama.
    ///
    /// Puede hacerse varias veces: de un intento anterior no queda nada guardado.
    fn aplicar<U: UnidadDeTrabajo>(&self, unidad: &mut U) -> impl Future<Output = Result<Self::Salida, Error>> + Send;
}

/// Hace un comando en una unidad de trabajo y la confirma. Los interbloqueos, las esperas de cerrojos y las
/// conexiones rotas antes de confirmar repiten el conjunto, un número limitado de veces. Un intento acaba en un
/// plazo, también si la base de datos enmudece.
///
/// # Errors
/// Lo que dice el comando, o cómo falló la base de datos.
pub(crate) async fn ejecutar<A: Almacen, C: Comando>(almacen: &A, comando: &C) -> Result<C::Salida, Error> {
    let mut intento = 1;
    loop {
        match intentar(almacen, comando).await {
            Err(Error::Falla(Falla::Pasajera(causa))) if intento < INTENTOS => {
                tracing::debug!(intento, %causa, "se repite una unidad de trabajo");
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

/// Devuelve una pausa que crece con los intentos. Las últimas cifras del reloj la hacen distinta en cada unidad, para
/// que dos que se interbloquearon no vuelvan a coincidir.
fn espera(intento: u32) -> Duration {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |transcurrido| transcurrido.subsec_nanos());
    Duration::from_micros(u64::from(intento) * 2_000 + u64::from(nanos / 100 % 8_000))
}
