//! Dónde está la base de datos, según las variables de entorno del tutorial.

use std::fmt;

use crate::contrato::direccion::texto;
use sqlx::mysql::MySqlConnectOptions;

/// Dirección y cuenta de la base de datos.
#[derive(Clone)]
pub struct ConfiguracionDb {
    pub(super) conexion: MySqlConnectOptions,
    /// Conexiones, como mucho.
    pub(super) conexiones: u32,
}

/// Una variable con un valor que no sirve.
#[derive(Debug, thiserror::Error)]
#[error("la variable de entorno {variable} tiene el valor {valor:?}, que no es {esperado}; corríjala")]
pub struct VariableErronea {
    variable: &'static str,
    valor: String,
    esperado: &'static str,
}

impl ConfiguracionDb {
    /// Lee `DB_USERNAME` (root), `DB_PASSWORD` (adminadmin), `DB_HOSTNAME` (localhost, también `host:puerto`),
    /// `DB_PORT` (3306), `DB_NAME` (reservas) y `DB_CONNECTIONS` (24).
    ///
    /// # Errors
    /// Un puerto o un número que no lo es.
    pub fn del_entorno() -> Result<Self, VariableErronea> {
        let puerto: u16 = numero("DB_PORT", "3306", "un puerto")?;
        let nombre = texto("DB_HOSTNAME", "localhost");
        let (host, puerto) = match nombre.rsplit_once(':') {
            Some((host, texto)) if !host.contains(':') || host.ends_with(']') => {
                let erronea =
                    || VariableErronea { variable: "DB_HOSTNAME", valor: nombre.clone(), esperado: "host:puerto" };
                (host.to_owned(), texto.parse().map_err(|_| erronea())?)
            }
            _ => (nombre, puerto),
        };
        // Vacía, es una cuenta sin contraseña; las demás variables toman entonces su valor por defecto.
        let contrasena = std::env::var("DB_PASSWORD").unwrap_or_else(|_| "adminadmin".to_owned());
        let conexion = MySqlConnectOptions::new()
            .host(host.trim_start_matches('[').trim_end_matches(']'))
            .port(puerto)
            .username(&texto("DB_USERNAME", "root"))
            .password(&contrasena)
            .database(&texto("DB_NAME", "reservas"))
            .statement_cache_capacity(256);
        Ok(Self { conexion, conexiones: numero("DB_CONNECTIONS", "24", "un número de 1 a 10000")? })
    }
}

impl fmt::Debug for ConfiguracionDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lugar = &self.conexion;
        let base = lugar.get_database().unwrap_or_default();
        write!(f, "{}@{}:{}/{base}", lugar.get_username(), lugar.get_host(), lugar.get_port())
    }
}

fn numero<N: std::str::FromStr + PartialOrd + From<u16>>(
    variable: &'static str,
    normal: &str,
    esperado: &'static str,
) -> Result<N, VariableErronea> {
    let valor = texto(variable, normal);
    match valor.parse() {
        Ok(numero) if numero > N::from(0) && valor.len() <= 5 => Ok(numero),
        _ => Err(VariableErronea { variable, valor, esperado }),
    }
}
