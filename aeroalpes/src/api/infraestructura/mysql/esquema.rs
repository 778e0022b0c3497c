//! Las tablas: se crean si faltan y se completan si las hizo la API del tutorial.
//!
//! Se hace en cada arranque, también en varios procesos a la vez. Una tabla que está conserva lo que tiene; las
//! columnas y los índices que faltan se añaden con valores por defecto, para que los servicios del tutorial sigan
//! escribiendo sus columnas.

use sqlx::AssertSqlSafe;
use sqlx::mysql::MySqlConnection;

use super::error::{falla, falla_de_bandeja};
use super::salida::Bandejas;
use crate::api::infraestructura::Falla;

/// Los códigos y los ids se comparan byte a byte: si no, `bog` y `BOG` serían un solo vuelo. Nuestras tablas no
/// tienen claves foráneas, porque las del tutorial pueden tener otro cotejo, y una clave necesita el mismo en los dos
/// lados.
const TABLAS: [&str; 6] = [
    "CREATE TABLE IF NOT EXISTS reservas (
        id VARCHAR(40) NOT NULL PRIMARY KEY,
        fecha_creacion DATETIME NOT NULL,
        fecha_actualizacion DATETIME NOT NULL,
        id_cliente VARCHAR(40) NULL,
        estado VARCHAR(20) NOT NULL DEFAULT 'PENDIENTE',
        KEY por_fecha (fecha_creacion),
        KEY por_estado (estado, fecha_creacion),
        KEY por_cliente (id_cliente, fecha_creacion)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS itinerarios (
        odo_orden INT NOT NULL,
        segmento_orden INT NOT NULL,
        leg_orden INT NOT NULL,
        fecha_salida DATETIME NOT NULL,
        fecha_llegada DATETIME NOT NULL,
        origen_codigo VARCHAR(10) NOT NULL,
        destino_codigo VARCHAR(10) NOT NULL,
        PRIMARY KEY (odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, origen_codigo, destino_codigo)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS reservas_itinerarios (
        reserva_id VARCHAR(40) NOT NULL,
        odo_orden INT NOT NULL,
        segmento_orden INT NOT NULL,
        leg_orden INT NOT NULL,
        fecha_salida DATETIME NOT NULL,
        fecha_llegada DATETIME NOT NULL,
        origen_codigo VARCHAR(10) NOT NULL,
        destino_codigo VARCHAR(10) NOT NULL,
        itinerario_orden INT NOT NULL DEFAULT 0,
        origen_nombre VARCHAR(100) NULL,
        destino_nombre VARCHAR(100) NULL,
        PRIMARY KEY (reserva_id, itinerario_orden, odo_orden, segmento_orden, leg_orden),
        FOREIGN KEY (reserva_id) REFERENCES reservas (id),
        FOREIGN KEY (odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, origen_codigo, destino_codigo)
            REFERENCES itinerarios
            (odo_orden, segmento_orden, leg_orden, fecha_salida, fecha_llegada, origen_codigo, destino_codigo)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS reservas_pasajeros (
        reserva_id VARCHAR(40) NOT NULL,
        itinerario_orden INT NOT NULL,
        pasajero_orden INT NOT NULL,
        tipo VARCHAR(10) NOT NULL,
        PRIMARY KEY (reserva_id, itinerario_orden, pasajero_orden)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS claves_idempotencia (
        clave VARCHAR(200) NOT NULL PRIMARY KEY,
        huella CHAR(64) NOT NULL,
        id_reserva VARCHAR(40) NOT NULL,
        fecha DATETIME NOT NULL,
        KEY por_fecha (fecha)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS usuarios_legado (
        id INT NOT NULL PRIMARY KEY AUTO_INCREMENT COMMENT 'Llave primaria',
        nombres VARCHAR(255) NULL,
        apellidos VARCHAR(255) NULL,
        direccion VARCHAR(255) NULL,
        telefono VARCHAR(255) NULL,
        email VARCHAR(255) NULL,
        password VARCHAR(255) NULL
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'Tabla legado de los usuarios'",
];

/// Tabla, columna o índice, y su definición: lo que falta a las tablas del tutorial.
const COMPLEMENTOS: [(&str, &str, &str); 8] = [
    ("reservas", "id_cliente", "COLUMN id_cliente VARCHAR(40) NULL"),
    ("reservas", "estado", "COLUMN estado VARCHAR(20) NOT NULL DEFAULT 'PENDIENTE'"),
    ("reservas_itinerarios", "itinerario_orden", "COLUMN itinerario_orden INT NOT NULL DEFAULT 0"),
    ("reservas_itinerarios", "origen_nombre", "COLUMN origen_nombre VARCHAR(100) NULL"),
    ("reservas_itinerarios", "destino_nombre", "COLUMN destino_nombre VARCHAR(100) NULL"),
    ("reservas", "por_fecha", "INDEX por_fecha (fecha_creacion)"),
    ("reservas", "por_estado", "INDEX por_estado (estado, fecha_creacion)"),
    ("reservas", "por_cliente", "INDEX por_cliente (id_cliente, fecha_creacion)"),
];

/// Ninguna columna se llama como un índice de los de arriba.
const EXISTE: &str = "SELECT 1 FROM information_schema.COLUMNS \
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = ? \
     UNION ALL SELECT 1 FROM information_schema.STATISTICS \
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME = ?";

/// Crea y completa las tablas.
pub(super) async fn crear(conexion: &mut MySqlConnection, bandejas: &Bandejas) -> Result<(), Falla> {
    for tabla in TABLAS {
        sqlx::query(tabla).execute(&mut *conexion).await.map_err(falla)?;
    }
    for (tabla, nombre, definicion) in COMPLEMENTOS {
        let existe = sqlx::query(EXISTE).bind(tabla).bind(nombre).bind(tabla).bind(nombre);
        if existe.fetch_all(&mut *conexion).await.map_err(falla)?.is_empty() {
            let sql = format!("ALTER TABLE {tabla} ADD {definicion}");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *conexion).await.map_err(falla)?;
        }
    }
    bandejas.salida.migrate(conexion).await.map_err(falla_de_bandeja)?;
    bandejas.entrada.migrate(conexion).await.map_err(falla_de_bandeja)
}
