//! Bytes to frames and back over TCP, TLS or the channel pair of a broker in this process.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bitacora_pulsar_wire::{Frame, FrameDecoder, encode_head};
use bytes::{BufMut, BytesMut};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::{ClientConfig, LocalFactory};
use crate::error::Error;
use crate::service_url::{Address, ServiceUrl, TlsUse};

/// Frames that may wait for the socket. Their bytes are bounded by each producer's own limit.
const OUTGOING_FRAMES: usize = 256;
/// A larger entry is written from its own buffer; a smaller one is cheaper to copy behind the frame's head.
const COPY_BELOW_BYTES: usize = 8 * 1024;

type BoxedReader = Box<dyn AsyncRead + Send + Unpin>;
type BoxedWriter = Box<dyn AsyncWrite + Send + Unpin>;

/// The two directions of an open transport.
pub(super) struct Transport {
    pub(super) outgoing: mpsc::Sender<Frame>,
    pub(super) incoming: Incoming,
    /// `None` for a broker in the same process, where no socket is written to.
    pub(super) writer: Option<Writer>,
}

/// The task that writes to the socket; it ends at once when this is dropped.
pub(super) struct Writer(JoinHandle<()>);

impl Writer {
    /// Waits until everything queued has been written, at most for this time. The senders must have been dropped.
    pub(super) async fn finish(mut self, limit: Duration) {
        // After that time the rest is dropped.
        let _ = timeout(limit, &mut self.0).await;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where frames come from.
pub(super) enum Incoming {
    Socket { reader: BoxedReader, buffer: BytesMut, decoder: FrameDecoder },
    Local(mpsc::Receiver<Frame>),
}

impl Incoming {
    /// Waits for the next frame; `None` at the end of the connection. Cancelling loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, Error> {
        match self {
            Self::Local(receiver) => Ok(receiver.recv().await),
            Self::Socket { reader, buffer, decoder } => loop {
                if let Some(frame) = decoder.decode(buffer)? {
                    return Ok(Some(frame));
                }
                buffer.reserve(64 * 1024);
                match reader.read_buf(buffer).await {
                    Ok(0) | Err(_) => return Ok(None),
                    Ok(_) => {}
                }
            },
        }
    }

    pub(super) fn set_max_message_bytes(&mut self, bytes: u32) {
        if let Self::Socket { decoder, .. } = self {
            decoder.set_max_message_bytes(bytes);
        }
    }
}

/// Opens a connection to a broker in this process.
pub(super) fn open_local(factory: &LocalFactory) -> Result<Transport, Error> {
    let (outgoing, receiver) = factory()?;
    Ok(Transport { outgoing, incoming: Incoming::Local(receiver), writer: None })
}

/// Connects to the first address that answers.
pub(super) async fn open_socket(url: &ServiceUrl, config: &ClientConfig) -> Result<Transport, Error> {
    let mut last = Error::Disconnected;
    for address in &url.addresses {
        match TcpStream::connect((address.host.as_str(), address.port)).await {
            Ok(stream) => match open_stream(stream, url.tls, address, config).await {
                Err(error) if error.is_retryable() => last = error,
                opened => return opened,
            },
            Err(source) => last = Error::Connect { address: address.text(), source: Arc::new(source) },
        }
    }
    Err(last)
}

async fn open_stream(
    stream: TcpStream,
    tls: TlsUse,
    address: &Address,
    config: &ClientConfig,
) -> Result<Transport, Error> {
    let failed = |source: io::Error| Error::Connect { address: address.text(), source: Arc::new(source) };
    stream.set_nodelay(true).map_err(failed)?;
    match tls {
        TlsUse::Plain => {
            let (reader, writer) = stream.into_split();
            Ok(start(Box::new(reader), Box::new(writer)))
        }
        TlsUse::Tls => {
            let connector = tokio_rustls::TlsConnector::from(Arc::new(tls_config(config)?));
            let name = ServerName::try_from(address.host.clone())
                .map_err(|_| Error::Tls { reason: format!("{:?} is not a host name", address.host) })?;
            let stream = connector.connect(name, stream).await.map_err(|error| {
                // An error of TLS itself, such as a bad certificate, is final. Any other one is a failed connection, as
                // before the handshake.
                let is_final = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
                if is_final { Error::Tls { reason: error.to_string() } } else { failed(error) }
            })?;
            let (reader, writer) = tokio::io::split(stream);
            Ok(start(Box::new(reader), Box::new(writer)))
        }
    }
}

fn tls_config(config: &ClientConfig) -> Result<rustls::ClientConfig, Error> {
    let failed = |reason: String| Error::Tls { reason };
    let mut roots = rustls::RootCertStore::empty();
    match &config.tls_ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| failed(format!("{}: {error}", path.display())))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| failed(format!("{}: {error}", path.display())))?;
                roots.add(certificate).map_err(|error| failed(format!("{}: {error}", path.display())))?;
            }
            if roots.is_empty() {
                return Err(failed(format!("{} holds no certificate", path.display())));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn start(reader: BoxedReader, writer: BoxedWriter) -> Transport {
    let (outgoing, frames) = mpsc::channel(OUTGOING_FRAMES);
    let writer = Some(Writer(tokio::spawn(write_frames(writer, frames))));
    let incoming = Incoming::Socket { reader, buffer: BytesMut::new(), decoder: FrameDecoder::default() };
    Transport { outgoing, incoming, writer }
}

/// Writes until all senders were dropped or the socket fails; the reading side then sees the end of the connection.
async fn write_frames(mut writer: BoxedWriter, mut frames: mpsc::Receiver<Frame>) {
    let mut waiting = Vec::with_capacity(OUTGOING_FRAMES);
    let mut buffer = BytesMut::new();
    while frames.recv_many(&mut waiting, OUTGOING_FRAMES).await > 0 {
        for frame in waiting.drain(..) {
            if write_frame(&mut writer, &mut buffer, frame).await.is_err() {
                return;
            }
        }
        if flush(&mut writer, &mut buffer).await.is_err() {
            return;
        }
    }
    // The broker takes the end of the stream for the end of the connection; a failure here changes nothing.
    let _ = writer.shutdown().await;
}

async fn write_frame(writer: &mut BoxedWriter, buffer: &mut BytesMut, frame: Frame) -> io::Result<()> {
    let payload = frame.payload.unwrap_or_default();
    encode_head(&frame.command, payload.len(), buffer);
    if payload.len() < COPY_BELOW_BYTES {
        buffer.put_slice(&payload);
        if buffer.len() < COPY_BELOW_BYTES * 8 {
            return Ok(());
        }
        writer.write_all_buf(buffer).await
    } else {
        writer.write_all_buf(buffer).await?;
        writer.write_all(&payload).await
    }
}

async fn flush(writer: &mut BoxedWriter, buffer: &mut BytesMut) -> io::Result<()> {
    writer.write_all_buf(buffer).await?;
    writer.flush().await
}
