//! Where the database is, from the tutorial's environment variables.

use std::fmt;

use crate::contrato::direccion::texto;
use sqlx::mysql::MySqlConnectOptions;

/// Address and account of the database.
#[derive(Clone)]
pub struct ConfiguracionDb {
    host: String,
    puerto: u16,
    usuario: String,
    contrasena: String,
    base: String,
    /// Most connections of the pool.
    pub(super) conexiones: u32,
}

/// A variable whose value cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {variable} has the value {valor:?}, which is no {esperado}; correct it")]
pub struct VariableErronea {
    variable: &'static str,
    valor: String,
    esperado: &'static str,
}

impl ConfiguracionDb {
    /// Reads `DB_USERNAME` (root), `DB_PASSWORD` (adminadmin), `DB_HOSTNAME` (localhost, also `host:port`), `DB_PORT` (3306),
    /// `DB_NAME` (reservas) and `DB_CONNECTIONS` (24).
    ///
    /// # Errors
    /// A port or number that is none.
    pub fn del_entorno() -> Result<Self, VariableErronea> {
        let puerto: u16 = numero("DB_PORT", "3306", "port")?;
        let nombre = texto("DB_HOSTNAME", "localhost");
        let (host, puerto) = match nombre.rsplit_once(':') {
            Some((host, text)) if !host.contains(':') || host.ends_with(']') => {
                let erronea =
                    || VariableErronea { variable: "DB_HOSTNAME", valor: nombre.clone(), esperado: "host:port" };
                (host.to_owned(), text.parse().map_err(|_| erronea())?)
            }
            _ => (nombre, puerto),
        };
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            puerto,
            usuario: texto("DB_USERNAME", "root"),
            // Set to nothing, it is an account without a password; the other variables mean their default then.
            contrasena: std::env::var("DB_PASSWORD").unwrap_or_else(|_| "adminadmin".to_owned()),
            base: texto("DB_NAME", "reservas"),
            conexiones: numero("DB_CONNECTIONS", "24", "number from 1 to 10000")?,
        })
    }

    pub(super) fn opciones(&self) -> MySqlConnectOptions {
        MySqlConnectOptions::new()
            .host(&self.host)
            .port(self.puerto)
            .username(&self.usuario)
            .password(&self.contrasena)
            .database(&self.base)
            .statement_cache_capacity(256)
    }
}

impl fmt::Debug for ConfiguracionDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}/{}", self.usuario, self.host, self.puerto, self.base)
    }
}

fn numero<N: std::str::FromStr + PartialOrd + From<u16>>(
    variable: &'static str,
    normal: &str,
    esperado: &'static str,
) -> Result<N, VariableErronea> {
    let valor = texto(variable, normal);
    match valor.parse() {
        Ok(number) if number > N::from(0) && valor.len() <= 5 => Ok(number),
        _ => Err(VariableErronea { variable, valor, esperado }),
    }
}
