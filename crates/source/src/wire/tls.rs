//! TLS modes over rustls.
//!
//! `preferred` and `required` accept any certificate, as the servers' own clients do; the handshake's signatures are
//! still checked. `verify_ca` checks the chain, `verify_identity` also the name. [`super::trust`] decides what may be
//! sent to a server whose certificate was not checked.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client;

use crate::{Error, ServerConfig, Tls, TlsMode};

/// Most bytes that one read of the socket may give. Without this buffer rustls would make a system call for every
/// 4 KiB.
const SOCKET_READ_BYTES: usize = 64 << 10;

/// An encrypted connection. Below the encryption, the socket is read in large pieces.
pub(super) type TlsStream = client::TlsStream<BufReader<TcpStream>>;

/// Runs the TLS handshake on a socket whose server waits for it.
pub(super) async fn handshake(
    config: &ServerConfig,
    client: ClientConfig,
    socket: TcpStream,
) -> Result<TlsStream, Error> {
    let failed = |reason: String| Error::Tls { address: config.address(), reason };
    let name = match ServerName::try_from(config.host.clone()) {
        Ok(name) => name,
        Err(_) if config.tls.mode != TlsMode::VerifyIdentity => {
            ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into())
        }
        Err(error) => return Err(failed(format!("`{}` cannot be compared with a certificate: {error}", config.host))),
    };
    let socket = BufReader::with_capacity(SOCKET_READ_BYTES, socket);
    TlsConnector::from(Arc::new(client)).connect(name, socket).await.map_err(|error| failed(error.to_string()))
}

/// Creates a TLS client from the files of the configuration.
///
/// # Errors
/// [`Error::TlsFile`] for a file that is missing or holds something else.
pub(super) fn client_config(tls: &Tls, mode: TlsMode) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = match mode {
        TlsMode::VerifyCa | TlsMode::VerifyIdentity => {
            let roots = Arc::new(roots(tls.ca_file.as_deref())?);
            let chain = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
                .build()
                .map_err(|error| Error::Tls { address: "the configuration".into(), reason: error.to_string() })?;
            if mode == TlsMode::VerifyIdentity { Trust::Identity(chain) } else { Trust::Chain(chain) }
        }
        _ => Trust::Any,
    };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls { address: "the configuration".into(), reason: error.to_string() })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { trust, provider }));
    match (&tls.certificate_file, &tls.key_file) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| Error::TlsFile { path: key.clone(), reason: error.to_string() }),
        (Some(path), None) | (None, Some(path)) => Err(Error::TlsFile {
            path: path.clone(),
            reason: "a client certificate and its key must be given together".into(),
        }),
        (None, None) => Ok(builder.with_no_client_auth()),
    }
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca_file else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| Error::TlsFile { path: path.to_owned(), reason: error.to_string() })?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed = |reason: String| Error::TlsFile { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|error| failed(error.to_string()))?;
    if found.is_empty() { Err(failed("it holds no certificate".into())) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let failed = |reason: String| Error::TlsFile { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match error {
        pem::Error::NoItemsFound => failed("it holds no private key".into()),
        damaged => failed(damaged.to_string()),
    })
}

#[derive(Debug)]
enum Trust {
    Any,
    Chain(Arc<WebPkiServerVerifier>),
    Identity(Arc<WebPkiServerVerifier>),
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.trust {
            Trust::Any => Ok(ServerCertVerified::assertion()),
            Trust::Identity(chain) => {
                chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            Trust::Chain(chain) => {
                match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
                    // rustls compares the name last, so a wrong name means that the chain is good.
                    Err(rustls::Error::InvalidCertificate(
                        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                    )) => Ok(ServerCertVerified::assertion()),
                    other => other,
                }
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
