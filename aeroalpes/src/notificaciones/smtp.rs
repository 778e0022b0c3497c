//! A mail to its server. One connection for each mail: notifications are few, and an idle connection dies unseen.
//!
//! What happens before a recipient is named (connection, greeting, TLS, login, the sender, who is the same in every mail) is the
//! server's or the operator's affair and says nothing about the mail: then the service is away. Only the answers to recipient and
//! content decide about it, unless they ask for a login.

use std::time::Duration;

use bitacora_pulsar::Outcome;
use lettre::Address;
use lettre::message::Message;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::time::timeout;

use crate::notificaciones::configuracion::{Cifrado, Smtp};
use crate::notificaciones::error::Error;

/// For a connection, and for a whole mail.
const CONECTAR: Duration = Duration::from_secs(15);
const ENVIAR: Duration = Duration::from_secs(60);
/// Said to whatever mail comes: 421 "service not available, closing transmission channel" (RFC 5321), and what RFC 4954 answers to
/// those who have not logged in, or not in a way that is strong enough.
const A_CUALQUIERA: [&str; 5] = ["421", "530", "534", "535", "538"];

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

    /// Sends one mail; [`Outcome::Done`] when the server has taken it.
    pub(crate) async fn enviar(&self, mail: &Message) -> Outcome {
        let opened = timeout(CONECTAR, self.abrir()).await;
        let mut connection = match opened {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return self.ausente(&sentence(&error)),
            Err(_) => return self.ausente("no answer in time"),
        };
        match timeout(ENVIAR, self.entregar(&mut connection, mail)).await {
            Ok(resultado) => {
                // Whatever became of the mail: what the server says to the farewell changes nothing.
                let _ = timeout(CONECTAR, connection.quit()).await;
                resultado
            }
            Err(_) => Outcome::Retry(format!("the mail server {} did not answer in time", self.smtp.host)),
        }
    }

    /// Sender, recipients, content: lettre's own `send` does not tell which of them was refused. The content is ASCII.
    async fn entregar(&self, connection: &mut AsyncSmtpConnection, mail: &Message) -> Outcome {
        let envelope = mail.envelope();
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        let mut parameters = Vec::new();
        if !envelope.from().into_iter().chain(envelope.to()).all(is_ascii) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let host = &self.smtp.host;
                return Outcome::Retry(format!("the mail server {host} takes no addresses beyond ASCII (SMTPUTF8)"));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if let Err(error) = connection.command(Mail::new(envelope.from().cloned(), parameters)).await {
            return self.ausente(&sentence(&error));
        }
        for address in envelope.to() {
            if let Err(error) = connection.command(Rcpt::new(address.clone(), Vec::new())).await {
                return self.juzgar(&error);
            }
        }
        if let Err(error) = connection.command(Data).await {
            return self.juzgar(&error);
        }
        match connection.message(&mail.formatted()).await {
            Ok(_) => Outcome::Done,
            Err(error) => self.juzgar(&error),
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

    fn juzgar(&self, error: &SmtpError) -> Outcome {
        let reason = format!("the mail server {} answered: {}", self.smtp.host, sentence(error));
        let is_for_all = error.status().is_some_and(|code| A_CUALQUIERA.contains(&code.to_string().as_str()));
        match error.status() {
            Some(_) if is_for_all => Outcome::Unavailable(reason),
            Some(_) if error.is_permanent() => Outcome::Rejected(reason),
            // A connection that breaks in the middle of a mail may be the mail's fault, so it counts.
            _ => Outcome::Retry(reason),
        }
    }

    fn ausente(&self, reason: &str) -> Outcome {
        let Smtp { host, port, .. } = &self.smtp;
        Outcome::Unavailable(format!("the mail server at {host}:{port} cannot be used: {reason}"))
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
