//! Las conexiones, y si las tablas que hay detrás están.

use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::{Connection, Executor};
use tokio::sync::watch;
use tokio::time::timeout;

use super::error::{es_sin_tabla, falla, falla_de_bandeja};
use super::salida::Bandejas;
use super::vuelos::Vuelos;
use super::{ConfiguracionDb, esquema};
use crate::api::infraestructura::Falla;

/// Un cliente no espera más que esto una conexión.
const ESPERA: Duration = Duration::from_secs(2);

/// Una conexión que vuelve en medio de una sentencia debe contestar en este plazo, o se cierra sin despedida.
const REGRESO: Duration = Duration::from_secs(5);

/// Límite del trabajo que nadie espera y que puede tardar: completar tablas, borrar filas viejas.
pub(super) const PLAZO_DE_FONDO: Duration = Duration::from_secs(600);

/// Lo que puede tardar la despedida de las conexiones.
const DESPEDIDA: Duration = Duration::from_secs(5);

/// A una conexión que reposó más se le pregunta si vive; a una ocupada no, lo que ahorra a cada reserva una ida y
/// vuelta.
const REPOSO: Duration = Duration::from_secs(1);

/// Las reservas del mismo vuelo encuentran su fila sin cerrar los huecos de al lado, y un cerrojo se espera menos de
/// lo que un cliente espera una respuesta.
const SESION: [&str; 2] =
    ["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET SESSION innodb_lock_wait_timeout = 3"];

/// La base de datos. Copiarla es barato.
#[derive(Debug, Clone)]
pub(crate) struct MySql {
    pub(super) pool: MySqlPool,
    pub(super) bandejas: Arc<Bandejas>,
    pub(super) vuelos: Arc<Vuelos>,
    /// Si las tablas están, por lo que se sabe.
    listo: watch::Sender<bool>,
}

impl MySql {
    /// Prepara las conexiones; se hacen cuando hacen falta, así que la base de datos puede no estar.
    ///
    /// # Errors
    /// La forma de la bandeja de salida está mal: un error de este programa.
    pub(crate) fn nuevo(configuracion: &ConfiguracionDb) -> Result<MySql, Falla> {
        let bandejas = Arc::new(Bandejas::nuevas().map_err(falla_de_bandeja)?);
        let pool = MySqlPoolOptions::new()
            .max_connections(configuracion.conexiones)
            .acquire_timeout(ESPERA)
            .test_before_acquire(false)
            .before_acquire(|conexion, meta| {
                Box::pin(async move {
                    if meta.idle_for > REPOSO {
                        conexion.ping().await?;
                    }
                    Ok(true)
                })
            })
            // sqlx pregunta sin límite a cada conexión que vuelve: una cuya sentencia se abandonó porque la base de
            // datos enmudeció guardaría su lugar mientras dure el silencio.
            .after_release(|conexion, _| {
                Box::pin(async move {
                    let silencio = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
                    timeout(REGRESO, conexion.ping()).await.map_err(silencio)??;
                    Ok(true)
                })
            })
            .after_connect(|conexion, _| {
                Box::pin(async move {
                    for sentencia in SESION {
                        conexion.execute(sentencia).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(configuracion.conexion.clone());
        Ok(MySql { pool, bandejas, vuelos: Arc::default(), listo: watch::Sender::new(false) })
    }

    /// Crea y completa las tablas.
    pub(super) async fn preparar(&self) -> Result<(), Falla> {
        let mut conexion = self.pool.acquire().await.map_err(falla)?;
        let creadas = timeout(PLAZO_DE_FONDO, esquema::crear(&mut conexion, &self.bandejas)).await;
        creadas.map_err(|silencio| Falla::Ausente(silencio.into()))??;
        self.listo.send_replace(true);
        Ok(())
    }

    /// Espera hasta que estén las tablas.
    pub(super) async fn con_tablas(&self) {
        // El emisor es un campo de este valor, así que el canal no puede cerrarse; lo mismo abajo.
        let _ = self.listo.subscribe().wait_for(|listo| *listo).await;
    }

    /// Espera hasta que se vea que faltan las tablas.
    pub(super) async fn sin_tablas(&self) {
        let _ = self.listo.subscribe().wait_for(|listo| !listo).await;
    }

    /// Falla mientras no están las tablas.
    pub(super) fn exigir_tablas(&self) -> Result<(), Falla> {
        if *self.listo.borrow() {
            Ok(())
        } else {
            Err(Falla::Ausente("sus tablas no están preparadas todavía".into()))
        }
    }

    /// Anota que faltan tablas, si es lo que dice la falla, y la devuelve.
    pub(super) fn observar(&self, falla: Falla) -> Falla {
        if es_sin_tabla(&falla) {
            self.listo.send_replace(false);
        }
        falla
    }

    /// Cierra las conexiones cuando ya nada las usa. Las que no contestan quedan para el final del proceso.
    pub(crate) async fn cerrar(&self) {
        if timeout(DESPEDIDA, self.pool.close()).await.is_err() {
            tracing::warn!("la base de datos no contesta; sus conexiones terminan sin despedida");
        }
    }
}
