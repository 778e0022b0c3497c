//! Dónde está la base de datos, según las variables de entorno del tutorial.

use std::fmt;

use crate::contrato::direccion::texto;
use sqlx::mysql::MySqlConnectOptions;

/// Dirección y cuenta de la base de datos.
#[derive(Clone)]
pub struct ConfiguracionDb {
    host: String,
    puerto: u16,
    usuario: String,
    contrasena: String,
    base: String,
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
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            puerto,
            usuario: texto("DB_USERNAME", "root"),
            // Vacía, es una cuenta sin contraseña; las demás variables toman entonces su valor por defecto.
            contrasena: std::env::var("DB_PASSWORD").unwrap_or_else(|_| "adminadmin".to_owned()),
            base: texto("DB_NAME", "reservas"),
            conexiones: numero("DB_CONNECTIONS", "24", "un número de 1 a 10000")?,
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
        Ok(numero) if numero > N::from(0) && valor.len() <= 5 => Ok(numero),
        _ => Err(VariableErronea { variable, valor, esperado }),
    }
}
