//! Settings, from the environment.
//!
//! `SMTP_HOST` turns mail on; without it notifications are lines on standard output. `SMTP_PORT`, `SMTP_TLS` (`none`, `starttls`
//! or `tls`), `SMTP_USER`, `SMTP_PASSWORD` and `SMTP_CA_FILE` belong to it. `CORREO_DE` is the sender, `CORREO_PARA` the address of events
//! whose user is not known.

use std::env;
use std::path::{Path, PathBuf};

use crate::contrato::direccion::{self, Broker};
use lettre::message::Mailbox;

use crate::notificaciones::error::Error;

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cifrado {
    /// Not at all.
    Ninguno,
    /// From the command STARTTLS on; a server without it is not used.
    Starttls,
    /// From the first byte on.
    Tls,
}

/// A mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub cifrado: Cifrado,
    /// User and password.
    pub cuenta: Option<(String, String)>,
    /// PEM file of a certification authority to trust besides the public ones.
    pub ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for Smtp {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smtp({}:{}, {:?})", self.host, self.port, self.cifrado)
    }
}

/// Everything that notifications need to know.
#[derive(Debug, Clone)]
pub struct Configuracion {
    /// Service URL of the broker.
    pub broker_url: String,
    /// Base URL of the API.
    pub api_url: String,
    /// Folder of the inbox.
    pub datos: PathBuf,
    /// The mail server; none writes lines to standard output.
    pub smtp: Option<Smtp>,
    /// Sender.
    pub de: Mailbox,
    /// Recipient where no user is known.
    pub para: Mailbox,
}

impl Configuracion {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Error::Setting`], or an address that cannot be used.
    pub fn del_entorno(datos: &Path) -> Result<Self, Error> {
        Ok(Self {
            broker_url: Broker::del_entorno("PULSAR_ADDRESS").service_url,
            api_url: direccion::api_del_entorno()?,
            datos: datos.to_owned(),
            smtp: smtp(&|variable| env::var(variable).ok().filter(|text| !text.is_empty()))?,
            de: buzon("CORREO_DE", "AeroAlpes <reservas@aeroalpes.example>")?,
            para: buzon("CORREO_PARA", "reservas@aeroalpes.example")?,
        })
    }
}

fn buzon(variable: &'static str, default: &str) -> Result<Mailbox, Error> {
    let value = direccion::texto(variable, default);
    value.parse().map_err(|error| setting(variable, &value, format!("{error}; write name@example.com")))
}

fn smtp(read: &dyn Fn(&str) -> Option<String>) -> Result<Option<Smtp>, Error> {
    let Some(host) = read("SMTP_HOST") else { return Ok(None) };
    let cuenta = match (read("SMTP_USER"), read("SMTP_PASSWORD")) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user, password)),
        (Some(user), None) => return Err(setting("SMTP_USER", &user, "set SMTP_PASSWORD as well".to_owned())),
        (None, Some(_)) => return Err(setting("SMTP_PASSWORD", "…", "set SMTP_USER as well".to_owned())),
    };
    let cifrado = match read("SMTP_TLS").as_deref() {
        Some("none") => Cifrado::Ninguno,
        Some("starttls") => Cifrado::Starttls,
        Some("tls") => Cifrado::Tls,
        None if cuenta.is_some() => Cifrado::Starttls,
        None => Cifrado::Ninguno,
        Some(other) => return Err(setting("SMTP_TLS", other, "write none, starttls or tls".to_owned())),
    };
    if cuenta.is_some() && cifrado == Cifrado::Ninguno && !is_here(&host) {
        let reason = format!("the password would go to {host} in the clear; write starttls or tls");
        return Err(setting("SMTP_TLS", "none", reason));
    }
    let port = match read("SMTP_PORT") {
        Some(text) => match text.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(setting("SMTP_PORT", &text, "write a port, such as 587".to_owned())),
        },
        None => match cifrado {
            Cifrado::Ninguno => 25,
            Cifrado::Starttls => 587,
            Cifrado::Tls => 465,
        },
    };
    Ok(Some(Smtp { host, port, cifrado, cuenta, ca_file: read("SMTP_CA_FILE").map(PathBuf::from) }))
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn setting(variable: &'static str, value: &str, reason: String) -> Error {
    Error::Setting { variable, value: value.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::{Cifrado, smtp};

    fn check(settings: &[(&str, &str)], expected: Result<(u16, Cifrado, bool), &str>) {
        let read = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        match (smtp(&read), expected) {
            (Ok(Some(smtp)), Ok(wanted)) => assert_eq!((smtp.port, smtp.cifrado, smtp.cuenta.is_some()), wanted),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, _) => panic!("{settings:?}: {found:?}"),
        }
    }

    #[test]
    fn un_servidor_de_correo_y_sus_valores_por_defecto() {
        let host = ("SMTP_HOST", "mail.example");
        check(&[host], Ok((25, Cifrado::Ninguno, false)));
        check(&[host, ("SMTP_USER", "u"), ("SMTP_PASSWORD", "p")], Ok((587, Cifrado::Starttls, true)));
        check(&[host, ("SMTP_TLS", "tls")], Ok((465, Cifrado::Tls, false)));
        check(&[host, ("SMTP_PORT", "2525")], Ok((2525, Cifrado::Ninguno, false)));
        check(&[host, ("SMTP_PORT", "0")], Err("SMTP_PORT=\"0\""));
        check(&[host, ("SMTP_TLS", "ssl")], Err("write none, starttls or tls"));
        check(&[host, ("SMTP_USER", "u")], Err("SMTP_PASSWORD"));
        let clear = [("SMTP_USER", "u"), ("SMTP_PASSWORD", "p"), ("SMTP_TLS", "none")];
        check(&[&[host], &clear[..]].concat(), Err("in the clear"));
        check(&[&[("SMTP_HOST", "127.0.0.1")], &clear[..]].concat(), Ok((25, Cifrado::Ninguno, true)));
    }

    #[test]
    fn sin_servidor_no_hay_correo() {
        assert!(smtp(&|_| None).unwrap().is_none());
    }
}
