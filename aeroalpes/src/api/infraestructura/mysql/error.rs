//! Lo que un error de sqlx significa para la unidad de trabajo en la que ocurrió.

use sqlx::mysql::MySqlDatabaseError;

use crate::api::infraestructura::Falla;

/// ER_LOCK_WAIT_TIMEOUT y ER_LOCK_DEADLOCK; después, las últimas palabras del servidor en una conexión que termina:
/// ER_CONNECTION_KILLED de MariaDB y ER_CLIENT_INTERACTION_TIMEOUT de MySQL.
const PASAJEROS: [u16; 5] = [1205, 1213, 1927, 4031, SIN_VUELO];

/// ER_NO_REFERENCED_ROW_2: un vuelo que se tenía por conocido ya no está.
const SIN_VUELO: u16 = 1452;

/// El servidor está y por ahora se niega: ER_CON_COUNT_ERROR, ER_DBACCESS_DENIED_ERROR, ER_ACCESS_DENIED_ERROR,
/// ER_SERVER_SHUTDOWN, ER_TOO_MANY_USER_CONNECTIONS, ER_OPTION_PREVENTS_STATEMENT (solo lectura), ER_READ_ONLY_MODE.
const AUSENTES: [u16; 7] = [1040, 1044, 1045, 1053, 1203, 1290, 1836];

/// ER_NO_DB_ERROR, ER_BAD_DB_ERROR y ER_NO_SUCH_TABLE.
const SIN_TABLAS: [u16; 3] = [1046, 1049, 1146];

/// ER_DUP_ENTRY.
const REPETIDO: u16 = 1062;

/// Clasifica un error anterior a la confirmación por lo que ayuda contra él: repetir, esperar o nada.
pub(super) fn falla(error: sqlx::Error) -> Falla {
    match numero(&error) {
        Some(codigo) if PASAJEROS.contains(&codigo) => Falla::Pasajera(error.into()),
        Some(codigo) if AUSENTES.contains(&codigo) || SIN_TABLAS.contains(&codigo) => Falla::Ausente(error.into()),
        Some(_) => Falla::Interna(error.into()),
        None => match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => Falla::Ausente(error.into()),
            // No se confirmó nada, así que otra conexión puede hacerlo todo de nuevo.
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Falla::Pasajera(error.into()),
            error => Falla::Interna(error.into()),
        },
    }
}

/// Clasifica un error de la propia confirmación; si se rompió la conexión, nadie sabe si quedó guardado.
pub(super) fn falla_al_confirmar(error: sqlx::Error) -> Falla {
    match (numero(&error), falla(error)) {
        (None, Falla::Pasajera(causa)) => Falla::Dudosa(causa),
        (_, falla) => falla,
    }
}

/// Clasifica un error de las bandejas por el de sqlx que lo causó.
pub(super) fn falla_de_bandeja(error: bitacora_outbox::Error) -> Falla {
    match error {
        bitacora_outbox::Error::Database { source, statement, code } => match source.downcast::<sqlx::Error>() {
            Ok(source) => falla(*source),
            Err(source) => Falla::Interna(bitacora_outbox::Error::Database { statement, code, source }.into()),
        },
        error => Falla::Interna(error.into()),
    }
}

/// Devuelve si ya hay una fila con esa clave.
pub(super) fn es_repetido(error: &sqlx::Error) -> bool {
    numero(error) == Some(REPETIDO)
}

/// Devuelve si faltan tablas: alguien puso otra base de datos en lugar de la preparada.
pub(super) fn es_sin_tabla(falla: &Falla) -> bool {
    let Falla::Ausente(causa) = falla else { return false };
    causa.downcast_ref::<sqlx::Error>().and_then(numero).is_some_and(|codigo| SIN_TABLAS.contains(&codigo))
}

/// Devuelve si ya no está una fila que se tenía por conocida.
pub(super) fn es_sin_vuelo(error: &sqlx::Error) -> bool {
    numero(error) == Some(SIN_VUELO)
}

fn numero(error: &sqlx::Error) -> Option<u16> {
    error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
}
