//! A mail to its server. One connection for each mail: notifications are few, and an idle connection dies unseen.
//!
//! What happens before the mail itself is told (connection, greeting, TLS, login) is the server's or the operator's affair and says
//! nothing about the mail: then the service is away. Only the answers to the mail decide about it.

use std::time::Duration;

use aeroalpes_consumo::Resultado;
use lettre::message::Message;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use crate::configuracion::{Cifrado, Smtp};
use crate::error::Error;

/// For a connection, and for a whole mail.
const CONECTAR: Duration = Duration::from_secs(15);
const ENVIAR: Duration = Duration::from_secs(60);
/// "Service not available, closing transmission channel": said to whatever mail comes.
const CERRANDO: &str = "421";

/// Sends mails to one server.
pub(crate) struct Cartero {
    smtp: Smtp,
    tls: Option<TlsParameters>,
    hello: ClientId,
}

impl Cartero {
    pub(crate) fn nuevo(smtp: Smtp) -> Result<Self, Error> {
        let tls = match smtp.cifrado {
            Cifrado::Ninguno => None,
            Cifrado::Starttls | Cifrado::Tls => Some(tls(&smtp)?),
        };
        Ok(Self { smtp, tls, hello: ClientId::default() })
    }

    /// Sends one mail; [`Resultado::Hecho`] when the server has taken it.
    pub(crate) async fn enviar(&self, mail: &Message) -> Resultado {
        let opened = timeout(CONECTAR, self.abrir()).await;
        let mut connection = match opened {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return self.ausente(&sentence(&error)),
            Err(_) => return self.ausente("no answer in time"),
        };
        let sent = timeout(ENVIAR, connection.send(mail.envelope(), &mail.formatted())).await;
        match sent {
            Ok(Ok(_)) => {
                // The mail is taken: what the server says to the farewell changes nothing.
                let _ = timeout(CONECTAR, connection.quit()).await;
                Resultado::Hecho
            }
            Ok(Err(error)) => self.juzgar(&error),
            Err(_) => Resultado::Reintentar(format!("the mail server {} did not answer in time", self.smtp.host)),
        }
    }

    async fn abrir(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let Smtp { host, port, cifrado, cuenta, .. } = &self.smtp;
        let at_once = self.tls.clone().filter(|_| *cifrado == Cifrado::Tls);
        let server = (host.as_str(), *port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONECTAR), &self.hello, at_once, None).await?;
        if let (Cifrado::Starttls, Some(tls)) = (cifrado, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some((user, password)) = cuenta {
            connection.auth(DEFAULT_MECHANISMS, &Credentials::new(user.clone(), password.clone())).await?;
        }
        Ok(connection)
    }

    fn juzgar(&self, error: &SmtpError) -> Resultado {
        let reason = format!("the mail server {} answered: {}", self.smtp.host, sentence(error));
        let is_closing = error.status().is_some_and(|code| code.to_string() == CERRANDO);
        match error.status() {
            Some(_) if is_closing => Resultado::Indisponible(reason),
            Some(_) if error.is_permanent() => Resultado::Rechazado(reason),
            // A connection that breaks in the middle of a mail may be the mail's fault, so it counts.
            _ => Resultado::Reintentar(reason),
        }
    }

    fn ausente(&self, reason: &str) -> Resultado {
        let Smtp { host, port, .. } = &self.smtp;
        Resultado::Indisponible(format!("the mail server at {host}:{port} cannot be used: {reason}"))
    }
}

fn tls(smtp: &Smtp) -> Result<TlsParameters, Error> {
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &smtp.ca_file {
        let unusable = |reason: String| Error::Setting {
            variable: "SMTP_CA_FILE",
            value: path.display().to_string(),
            reason: format!("{reason}; name a file with a PEM certificate"),
        };
        let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        builder =
            builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| unusable(sentence(&error)))?);
    }
    builder.build().map_err(|source| Error::Client { what: "the mail server", source: Box::new(source) })
}

/// An error and its causes in one line.
fn sentence(error: &SmtpError) -> String {
    error.to_string().replace(['\r', '\n'], " ").trim().to_owned()
}
