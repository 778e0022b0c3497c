//! Un correo hasta su servidor. Una conexión para cada uno: son pocos, y una conexión ociosa muere sin que se note.
//!
//! Un fallo anterior al destinatario (conexión, saludo, TLS, cuenta o remitente, que es siempre el mismo) es del
//! servidor o de su configuración, no del correo: cuenta como servicio ausente. Solo las respuestas al destinatario y
//! al contenido deciden sobre el correo, salvo las que piden una cuenta.

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

use crate::error::Error;
use crate::notificaciones::configuracion::{Cifrado, Smtp};

/// Para una conexión, y para un correo entero.
const CONECTAR: Duration = Duration::from_secs(15);
const ENVIAR: Duration = Duration::from_secs(60);
/// Respuestas que no dependen del correo: 421 «service not available, closing transmission channel» (RFC 5321), y las
/// de RFC 4954 a un cliente sin cuenta, o con una autenticación demasiado débil.
const A_CUALQUIERA: [&str; 5] = ["421", "530", "534", "535", "538"];

/// Envía correos a un servidor.
pub(crate) struct Cartero {
    smtp: Smtp,
    parametros_tls: Option<TlsParameters>,
    saludo: ClientId,
}

impl Cartero {
    pub(crate) fn nuevo(smtp: Smtp) -> Result<Self, Error> {
        let parametros_tls = (smtp.cifrado != Cifrado::Ninguno).then(|| parametros_tls(&smtp)).transpose()?;
        Ok(Self { smtp, parametros_tls, saludo: ClientId::default() })
    }

    /// Envía un correo; [`Outcome::Done`] cuando el servidor lo ha tomado.
    pub(crate) async fn enviar(&self, correo: &Message) -> Outcome {
        let mut conexion = match timeout(CONECTAR, self.abrir()).await {
            Ok(Ok(conexion)) => conexion,
            Ok(Err(error)) => return self.ausente(&frase(&error)),
            Err(_) => return self.ausente("no contesta a tiempo"),
        };
        match timeout(ENVIAR, self.entregar(&mut conexion, correo)).await {
            Ok(resultado) => {
                // Pase lo que pase con el correo, lo que el servidor diga a la despedida no cambia nada.
                let _ = timeout(CONECTAR, conexion.quit()).await;
                resultado
            }
            Err(_) => Outcome::Retry(format!("el servidor de correo {} no contestó a tiempo", self.smtp.host)),
        }
    }

    /// Remitente, destinatarios, contenido: el `send` de lettre no dice cuál de ellos se rechazó. El contenido es
    /// ASCII.
    async fn entregar(&self, conexion: &mut AsyncSmtpConnection, correo: &Message) -> Outcome {
        let sobre = correo.envelope();
        let es_ascii = |direccion: &Address| AsRef::<str>::as_ref(direccion).is_ascii();
        let mut parametros = Vec::new();
        if !sobre.from().into_iter().chain(sobre.to()).all(es_ascii) {
            if !conexion.server_info().supports_feature(Extension::SmtpUtfEight) {
                let host = &self.smtp.host;
                return Outcome::Retry(format!(
                    "el servidor de correo {host} no admite direcciones fuera de ASCII (SMTPUTF8)"
                ));
            }
            parametros.push(MailParameter::SmtpUtfEight);
        }
        if let Err(error) = conexion.command(Mail::new(sobre.from().cloned(), parametros)).await {
            return self.ausente(&frase(&error));
        }
        for direccion in sobre.to() {
            if let Err(error) = conexion.command(Rcpt::new(direccion.clone(), Vec::new())).await {
                return self.juzgar(&error);
            }
        }
        if let Err(error) = conexion.command(Data).await {
            return self.juzgar(&error);
        }
        match conexion.message(&correo.formatted()).await {
            Ok(_) => Outcome::Done,
            Err(error) => self.juzgar(&error),
        }
    }

    async fn abrir(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let Smtp { host, puerto, cifrado, cuenta, .. } = &self.smtp;
        let de_inmediato = self.parametros_tls.clone().filter(|_| *cifrado == Cifrado::Tls);
        let servidor = (host.as_str(), *puerto);
        let mut conexion =
            AsyncSmtpConnection::connect_tokio1(servidor, Some(CONECTAR), &self.saludo, de_inmediato, None).await?;
        if let (Cifrado::Starttls, Some(parametros_tls)) = (cifrado, &self.parametros_tls) {
            conexion.starttls(parametros_tls.clone(), &self.saludo).await?;
        }
        if let Some((usuario, contrasena)) = cuenta {
            conexion.auth(DEFAULT_MECHANISMS, &Credentials::new(usuario.clone(), contrasena.clone())).await?;
        }
        Ok(conexion)
    }

    fn juzgar(&self, error: &SmtpError) -> Outcome {
        let motivo = format!("el servidor de correo {} contestó: {}", self.smtp.host, frase(error));
        match error.status().map(|codigo| codigo.to_string()) {
            Some(codigo) if A_CUALQUIERA.contains(&codigo.as_str()) => Outcome::Unavailable(motivo),
            Some(_) if error.is_permanent() => Outcome::Rejected(motivo),
            // Puede que el propio correo rompa la conexión, así que cuenta como un intento.
            _ => Outcome::Retry(motivo),
        }
    }

    fn ausente(&self, motivo: &str) -> Outcome {
        let Smtp { host, puerto, .. } = &self.smtp;
        Outcome::Unavailable(format!("no se puede usar el servidor de correo {host}:{puerto}: {motivo}"))
    }
}

fn parametros_tls(smtp: &Smtp) -> Result<TlsParameters, Error> {
    let mut constructor = TlsParameters::builder(smtp.host.clone());
    if let Some(ruta) = &smtp.archivo_ca {
        let inservible = |motivo: String| Error::Variable {
            variable: "SMTP_CA_FILE",
            valor: ruta.display().to_string(),
            motivo: format!("{motivo}; nombre un archivo con un certificado PEM"),
        };
        let pem = std::fs::read(ruta).map_err(|error| inservible(error.to_string()))?;
        constructor =
            constructor.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| inservible(frase(&error)))?);
    }
    constructor.build().map_err(Error::Correo)
}

/// Un error en una línea.
fn frase(error: &SmtpError) -> String {
    error.to_string().replace(['\r', '\n'], " ").trim().to_owned()
}
