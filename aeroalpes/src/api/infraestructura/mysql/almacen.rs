//! The pool of connections, and whether the tables behind it are there.

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
use crate::api::aplicacion::Falla;

/// A client waits no longer than this for a connection.
const ESPERA: Duration = Duration::from_secs(2);

/// A connection that comes back in the middle of a statement must answer within this time, or it is closed without a farewell.
const REGRESO: Duration = Duration::from_secs(5);

/// Bound of the work that nobody waits for and that may take its time: completing tables, deleting old rows.
pub(super) const PLAZO_DE_FONDO: Duration = Duration::from_secs(600);

/// How long the farewell of the connections may take.
const DESPEDIDA: Duration = Duration::from_secs(5);

/// A connection that rested for longer is asked whether it lives; a busy one is not, which saves a round trip of each
/// booking.
const REPOSO: Duration = Duration::from_secs(1);

/// Bookings of the same flight find its row without locking the gaps beside it, and a lock is waited for less long than a
/// client waits for an answer.
const SESION: [&str; 2] =
    ["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET SESSION innodb_lock_wait_timeout = 3"];

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MySql {
    pub(super) pool: MySqlPool,
    pub(super) bandejas: Arc<Bandejas>,
    pub(super) vuelos: Arc<Vuelos>,
    /// Whether the tables are there, as far as is known.
    listo: watch::Sender<bool>,
}

impl MySql {
    /// Prepares the pool; connections are made when they are needed, so the database may be away.
    ///
    /// # Errors
    /// The layout of the outbox is wrong: a fault of this crate.
    pub fn nuevo(configuracion: &ConfiguracionDb) -> Result<MySql, Falla> {
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
            // The pool asks each connection that comes back, without a bound: one whose statement was given up because the
            // database fell silent would keep its place for as long as the silence lasts.
            .after_release(|conexion, _| {
                Box::pin(async move {
                    let silencio = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
                    timeout(REGRESO, conexion.ping()).await.map_err(silencio)??;
                    Ok(true)
                })
            })
            .after_connect(|conexion, _| {
                Box::pin(async move {
                    for statement in SESION {
                        conexion.execute(statement).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(configuracion.opciones());
        Ok(MySql { pool, bandejas, vuelos: Arc::default(), listo: watch::Sender::new(false) })
    }

    /// Creates and completes the tables.
    pub(super) async fn preparar(&self) -> Result<(), Falla> {
        let mut conexion = self.pool.acquire().await.map_err(falla)?;
        let creadas = timeout(PLAZO_DE_FONDO, esquema::crear(&mut conexion, &self.bandejas)).await;
        creadas.map_err(|silencio| Falla::Ausente(silencio.into()))??;
        self.listo.send_replace(true);
        Ok(())
    }

    /// Waits until the tables are there.
    pub(super) async fn con_tablas(&self) {
        // The sender is this value's own, so it cannot be gone; the same below.
        let _ = self.listo.subscribe().wait_for(|listo| *listo).await;
    }

    /// Waits until the tables turn out to be absent.
    pub(super) async fn sin_tablas(&self) {
        let _ = self.listo.subscribe().wait_for(|listo| !listo).await;
    }

    /// Fails while the tables are not there.
    pub(super) fn exigir_tablas(&self) -> Result<(), Falla> {
        if *self.listo.borrow() { Ok(()) } else { Err(Falla::Ausente("its tables are not prepared yet".into())) }
    }

    /// Notes what a failure says about the tables.
    pub(super) fn observar(&self, falla: Falla) -> Falla {
        if es_sin_tabla(&falla) {
            self.listo.send_replace(false);
        }
        falla
    }

    /// Closes the connections, when nothing uses them any more. Those that do not answer are left to the end of the process.
    pub async fn cerrar(&self) {
        if timeout(DESPEDIDA, self.pool.close()).await.is_err() {
            tracing::warn!("the database does not answer; its connections end without a farewell");
        }
    }
}
