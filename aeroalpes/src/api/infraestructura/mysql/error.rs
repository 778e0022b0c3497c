//! What an error of the driver means for the unit of work in which it happened.

use sqlx::mysql::MySqlDatabaseError;

use crate::api::aplicacion::Falla;

/// ER_LOCK_WAIT_TIMEOUT and ER_LOCK_DEADLOCK; then the server's last words on a connection that it ends: MariaDB's
/// ER_CONNECTION_KILLED and MySQL's ER_CLIENT_INTERACTION_TIMEOUT.
const PASAJEROS: [u16; 5] = [1205, 1213, 1927, 4031, SIN_VUELO];

/// ER_NO_REFERENCED_ROW_2: a flight that was taken for known is gone.
const SIN_VUELO: u16 = 1452;

/// The server is there and refuses for now: ER_CON_COUNT_ERROR, ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR,
/// ER_SERVER_SHUTDOWN, ER_TOO_MANY_USER_CONNECTIONS, ER_OPTION_PREVENTS_STATEMENT (read only), ER_READ_ONLY_MODE.
const AUSENTES: [u16; 7] = [1040, 1044, 1045, 1053, 1203, 1290, 1836];

/// ER_NO_DB_ERROR, ER_BAD_DB_ERROR and ER_NO_SUCH_TABLE.
const SIN_TABLAS: [u16; 3] = [1046, 1049, 1146];

/// ER_DUP_ENTRY.
const REPETIDO: u16 = 1062;

/// Tells what helps against an error before the commit.
pub(super) fn falla(error: sqlx::Error) -> Falla {
    match numero(&error) {
        Some(code) if PASAJEROS.contains(&code) => Falla::Pasajera(error.into()),
        Some(code) if AUSENTES.contains(&code) || SIN_TABLAS.contains(&code) => Falla::Ausente(error.into()),
        Some(_) => Falla::Interna(error.into()),
        None => match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => Falla::Ausente(error.into()),
            // Nothing was committed, so another connection may do the whole again.
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Falla::Pasajera(error.into()),
            error => Falla::Interna(error.into()),
        },
    }
}

/// Tells what helps against an error of the commit itself.
pub(super) fn falla_al_confirmar(error: sqlx::Error) -> Falla {
    match (numero(&error), falla(error)) {
        (None, Falla::Pasajera(causa)) => Falla::Dudosa(causa),
        (_, falla) => falla,
    }
}

/// Tells what helps against an error of the outbox or inbox.
pub(super) fn falla_de_bandeja(error: bitacora_outbox::Error) -> Falla {
    match error {
        bitacora_outbox::Error::Database { source, statement, code } => match source.downcast::<sqlx::Error>() {
            Ok(source) => falla(*source),
            Err(source) => Falla::Interna(bitacora_outbox::Error::Database { statement, code, source }.into()),
        },
        error => Falla::Interna(error.into()),
    }
}

/// Whether a row of this key is there already.
pub(super) fn es_repetido(error: &sqlx::Error) -> bool {
    numero(error) == Some(REPETIDO)
}

/// Whether tables are absent: somebody put another database in the place of the one that was prepared.
pub(super) fn es_sin_tabla(falla: &Falla) -> bool {
    let Falla::Ausente(causa) = falla else { return false };
    causa.downcast_ref::<sqlx::Error>().and_then(numero).is_some_and(|code| SIN_TABLAS.contains(&code))
}

/// Whether a row that was taken for known is gone.
pub(super) fn es_sin_vuelo(error: &sqlx::Error) -> bool {
    numero(error) == Some(SIN_VUELO)
}

fn numero(error: &sqlx::Error) -> Option<u16> {
    error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
}
