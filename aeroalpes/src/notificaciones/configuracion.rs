//! La configuración, según el entorno.
//!
//! `SMTP_HOST` enciende el correo; sin ella las notificaciones son líneas en la salida. Le acompañan `SMTP_PORT`,
//! `SMTP_TLS` (`none`, `starttls` o `tls`), `SMTP_USER`, `SMTP_PASSWORD` y `SMTP_CA_FILE`. `CORREO_DE` es el
//! remitente; `CORREO_PARA`, la dirección de los eventos cuyo usuario no se conoce.

use std::env;
use std::path::PathBuf;

use clap::Args;
use lettre::message::Mailbox;

use crate::contrato::direccion::texto;
use crate::error::Error;

/// Argumentos de `aeroalpes notificaciones`.
#[derive(Debug, Args)]
#[command(after_help = "Entorno:
  AEROALPES_ADDRESS         la API: un host, host:puerto o una URL http://; localhost, puerto 5000
  PULSAR_SERVICE_URL        el broker; o PULSAR_ADDRESS, su servidor
  SMTP_HOST, SMTP_PORT      el servidor de correo; sin él las notificaciones son líneas en la salida
  SMTP_TLS                  none, starttls o tls; starttls si hay usuario; si no, none
  SMTP_USER, SMTP_PASSWORD  su cuenta, si la pide
  SMTP_CA_FILE              archivo PEM de una autoridad de certificación en la que confiar además de las públicas
  CORREO_DE, CORREO_PARA    remitente, y destinatario de los eventos cuyo usuario no tiene dirección
  RUST_LOG                  qué se registra, como debug; sin ella, advertencias e informaciones propias")]
pub(crate) struct Argumentos {
    /// Carpeta de la bandeja, que dice de qué eventos se envió correo
    #[arg(long, env = "AEROALPES_DATOS", default_value = "./aeroalpes-datos")]
    pub(super) datos: PathBuf,
}

/// Cómo se cifra la conexión con el servidor de correo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cifrado {
    Ninguno,
    /// Desde la orden STARTTLS; un servidor que no la tiene no se usa.
    Starttls,
    /// Desde el primer byte.
    Tls,
}

/// Un servidor de correo. Sin `Debug`, que mostraría la contraseña.
pub(super) struct Smtp {
    pub(super) host: String,
    pub(super) puerto: u16,
    pub(super) cifrado: Cifrado,
    /// Usuario y contraseña.
    pub(super) cuenta: Option<(String, String)>,
    /// Archivo PEM de una autoridad de certificación en la que confiar además de las públicas.
    pub(super) archivo_ca: Option<PathBuf>,
}

/// El correo según el entorno.
pub(super) struct Correo {
    /// Sin servidor se escriben líneas en la salida.
    pub(super) smtp: Option<Smtp>,
    pub(super) de: Mailbox,
    /// El destinatario cuando no se conoce al usuario.
    pub(super) para: Mailbox,
}

impl Correo {
    pub(super) fn del_entorno() -> Result<Self, Error> {
        Ok(Self {
            smtp: smtp(&|variable| env::var(variable).ok().filter(|texto| !texto.is_empty()))?,
            de: buzon("CORREO_DE", "AeroAlpes <reservas@aeroalpes.example>")?,
            para: buzon("CORREO_PARA", "reservas@aeroalpes.example")?,
        })
    }
}

fn buzon(variable: &'static str, por_defecto: &str) -> Result<Mailbox, Error> {
    let valor = texto(variable, por_defecto);
    valor.parse().map_err(|error| no_sirve(variable, &valor, format!("{error}; escriba nombre@example.com")))
}

fn smtp(leer: &dyn Fn(&str) -> Option<String>) -> Result<Option<Smtp>, Error> {
    let Some(host) = leer("SMTP_HOST") else { return Ok(None) };
    let cuenta = match (leer("SMTP_USER"), leer("SMTP_PASSWORD")) {
        (None, None) => None,
        (Some(usuario), Some(contrasena)) => Some((usuario, contrasena)),
        (Some(usuario), None) => return Err(no_sirve("SMTP_USER", &usuario, "ponga también SMTP_PASSWORD".to_owned())),
        (None, Some(_)) => return Err(no_sirve("SMTP_PASSWORD", "…", "ponga también SMTP_USER".to_owned())),
    };
    let cifrado = match leer("SMTP_TLS").as_deref() {
        Some("none") => Cifrado::Ninguno,
        Some("starttls") => Cifrado::Starttls,
        Some("tls") => Cifrado::Tls,
        None if cuenta.is_some() => Cifrado::Starttls,
        None => Cifrado::Ninguno,
        Some(otro) => return Err(no_sirve("SMTP_TLS", otro, "escriba none, starttls o tls".to_owned())),
    };
    if cuenta.is_some() && cifrado == Cifrado::Ninguno && !es_local(&host) {
        let motivo = format!("la contraseña iría a {host} sin cifrar; escriba starttls o tls");
        return Err(no_sirve("SMTP_TLS", "none", motivo));
    }
    let puerto = match leer("SMTP_PORT") {
        Some(texto) => match texto.parse() {
            Ok(puerto) if puerto > 0 => puerto,
            _ => return Err(no_sirve("SMTP_PORT", &texto, "escriba un puerto, como 587".to_owned())),
        },
        None => match cifrado {
            Cifrado::Ninguno => 25,
            Cifrado::Starttls => 587,
            Cifrado::Tls => 465,
        },
    };
    Ok(Some(Smtp { host, puerto, cifrado, cuenta, archivo_ca: leer("SMTP_CA_FILE").map(PathBuf::from) }))
}

fn es_local(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|direccion: std::net::IpAddr| direccion.is_loopback())
}

fn no_sirve(variable: &'static str, valor: &str, motivo: String) -> Error {
    Error::Variable { variable, valor: valor.to_owned(), motivo }
}

#[cfg(test)]
mod tests {
    use super::{Cifrado, smtp};

    fn comprobar(ajustes: &[(&str, &str)], esperado: Result<(u16, Cifrado, bool), &str>) {
        let leer =
            |nombre: &str| ajustes.iter().find(|(clave, _)| *clave == nombre).map(|(_, valor)| (*valor).to_owned());
        match (smtp(&leer), esperado) {
            (Ok(Some(smtp)), Ok(esperado)) => assert_eq!((smtp.puerto, smtp.cifrado, smtp.cuenta.is_some()), esperado),
            (Err(error), Err(parte)) => assert!(error.to_string().contains(parte), "{error}"),
            (hallado, _) => panic!("{ajustes:?}: {:?}", hallado.map(|smtp| smtp.is_some())),
        }
    }

    #[test]
    fn un_servidor_de_correo_y_sus_valores_por_defecto() {
        let host = ("SMTP_HOST", "mail.example");
        comprobar(&[host], Ok((25, Cifrado::Ninguno, false)));
        comprobar(&[host, ("SMTP_USER", "u"), ("SMTP_PASSWORD", "p")], Ok((587, Cifrado::Starttls, true)));
        comprobar(&[host, ("SMTP_TLS", "tls")], Ok((465, Cifrado::Tls, false)));
        comprobar(&[host, ("SMTP_PORT", "2525")], Ok((2525, Cifrado::Ninguno, false)));
        comprobar(&[host, ("SMTP_PORT", "0")], Err("SMTP_PORT=\"0\""));
        comprobar(&[host, ("SMTP_TLS", "ssl")], Err("escriba none, starttls o tls"));
        comprobar(&[host, ("SMTP_USER", "u")], Err("SMTP_PASSWORD"));
        let en_claro = [("SMTP_USER", "u"), ("SMTP_PASSWORD", "p"), ("SMTP_TLS", "none")];
        comprobar(&[&[host], &en_claro[..]].concat(), Err("sin cifrar"));
        comprobar(&[&[("SMTP_HOST", "127.0.0.1")], &en_claro[..]].concat(), Ok((25, Cifrado::Ninguno, true)));
    }

    #[test]
    fn sin_servidor_no_hay_correo() {
        assert!(smtp(&|_| None).unwrap().is_none());
    }
}
