//! The state of a connection, and the packets that it sends and receives.
//!
//! Login, statements and batches are in files above this one. Only this file reads and writes the socket.

use std::future::{Future as _, poll_fn};
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::buffer::{PacketBuffer, PacketError, put_packet};
use crate::wire::result::ErrorPacket;
use crate::wire::tls::TlsStream;
use crate::{Error, ServerVersion};

/// Bytes that one call of [`Connection::fill`] collects, if they are at hand.
const AT_HAND_BYTES: usize = 256 << 10;

#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
    Closed,
}

/// A session on one server.
#[derive(Debug)]
pub struct Connection {
    pub(super) stream: Stream,
    pub(super) buffer: PacketBuffer,
    /// Sequence number of the next packet of an exchange.
    pub(super) sequence: u8,
    pub(super) version: ServerVersion,
    pub(super) connection_id: u32,
    pub(super) capabilities: u32,
    pub(super) address: String,
    pub(super) query_timeout_ms: u64,
    pub(super) batches: Batches,
    pub(super) latent: Option<Error>,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Plain TCP.
    None,
    /// TLS.
    Tls,
}

/// Whether the other end takes several statements in one packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Batches {
    /// Not known yet; the first batch asks.
    #[default]
    Unknown,
    /// The other end takes batches.
    Taken,
    /// The other end, a proxy, takes no batches. The statements are sent one by one.
    Refused,
}

impl Connection {
    /// Returns product and version of the server.
    pub fn version(&self) -> &ServerVersion {
        &self.version
    }

    /// Returns the server's number of this connection.
    pub fn connection_id(&self) -> u32 {
        self.connection_id
    }

    /// Returns `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns whether the connection is encrypted.
    pub fn encryption(&self) -> Encryption {
        match self.stream {
            Stream::Tls(_) => Encryption::Tls,
            _ => Encryption::None,
        }
    }

    /// Returns why the next login may fail although this one did not: the server had the password's digest in its
    /// cache, which is empty after a restart.
    pub fn latent_refusal(&self) -> Option<&Error> {
        self.latent.as_ref()
    }

    /// Sends a command with a fresh sequence number.
    pub async fn command(&mut self, payload: &[u8], what: &'static str) -> Result<(), Error> {
        self.sequence = 0;
        let mut wire = Vec::with_capacity(payload.len() + 4);
        put_packet(&mut wire, payload, 0);
        self.write(&wire, what).await
    }

    /// Sends the next packet of an exchange.
    pub(super) async fn send(&mut self, payload: &[u8], what: &'static str) -> Result<(), Error> {
        let mut wire = Vec::with_capacity(payload.len() + 4);
        self.sequence = put_packet(&mut wire, payload, self.sequence);
        self.write(&wire, what).await
    }

    async fn write(&mut self, wire: &[u8], what: &'static str) -> Result<(), Error> {
        let written = match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(wire).await,
            Stream::Tls(socket) => match socket.write_all(wire).await {
                Ok(()) => socket.flush().await,
                Err(error) => Err(error),
            },
            Stream::Closed => Err(io::ErrorKind::NotConnected.into()),
        };
        written.map_err(|source| self.lost(what, source))
    }

    /// Reads one packet that this client will answer.
    pub(super) async fn packet_of_exchange(&mut self, what: &'static str) -> Result<Range<usize>, Error> {
        let packet = self.packet(what).await?;
        self.sequence = self.buffer.sequence().wrapping_add(1);
        Ok(packet)
    }

    /// Reads one packet; [`Connection::bytes`] returns its bytes until more is read.
    pub(crate) async fn packet(&mut self, what: &'static str) -> Result<Range<usize>, Error> {
        loop {
            if let Some(packet) = self.buffered_packet()? {
                return Ok(packet);
            }
            self.fill_in_time(what).await?;
        }
    }

    /// Returns the next packet if all its bytes have arrived.
    #[inline]
    pub(crate) fn buffered_packet(&mut self) -> Result<Option<Range<usize>>, Error> {
        self.buffer.take().map_err(|error| match error {
            PacketError::TooLarge => Error::PacketTooLarge { limit_bytes: self.buffer.limit_bytes() },
        })
    }

    /// Returns the bytes of a packet.
    #[inline]
    pub fn bytes(&self, packet: Range<usize>) -> &[u8] {
        self.buffer.get(packet)
    }

    /// Returns the receive buffer, to take packets out of it without copying.
    pub fn buffer(&mut self) -> &mut PacketBuffer {
        &mut self.buffer
    }

    /// Receives more bytes of an answer, and waits for them no longer than the limit of a statement.
    pub(crate) async fn fill_in_time(&mut self, what: &'static str) -> Result<(), Error> {
        let limit_ms = self.query_timeout_ms;
        match tokio::time::timeout(Duration::from_millis(limit_ms), self.fill(what)).await {
            Ok(result) => result,
            Err(_) => {
                Err(Error::Timeout { address: self.address.clone(), what: "The answer to a statement", limit_ms })
            }
        }
    }

    /// Receives more bytes; safe to cancel.
    pub(crate) async fn fill(&mut self, what: &'static str) -> Result<(), Error> {
        let space = self.buffer.space();
        let received = match &mut self.stream {
            Stream::Plain(socket) => receive(socket, space).await,
            Stream::Tls(socket) => receive(socket, space).await,
            Stream::Closed => Ok(0),
        };
        match received {
            Ok(0) => Err(self.ended(what)),
            Ok(_) => Ok(()),
            Err(source) => Err(self.lost(what, source)),
        }
    }

    /// Returns the error of a connection that the server has ended.
    pub(crate) fn ended(&self, what: &'static str) -> Error {
        self.lost(what, io::ErrorKind::UnexpectedEof.into())
    }

    fn lost(&self, what: &'static str, cause: io::Error) -> Error {
        // The TLS library's own message would send the reader to a page of its documentation.
        let cause = match cause.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(cause.kind(), "the server closed the connection"),
            _ => cause,
        };
        Error::Lost { address: self.address.clone(), what, cause }
    }

    pub(crate) fn malformed(&self, what: &'static str) -> Error {
        Error::Malformed { address: self.address.clone(), what }
    }

    pub(crate) fn server_error(&self, packet: &[u8], during: &str) -> Error {
        match ErrorPacket::parse(packet) {
            Some(ErrorPacket { code, state, message }) => {
                Error::Server { code, state, message, during: during.to_owned() }
            }
            None => self.malformed("error packet"),
        }
    }
}

/// Waits for bytes and takes what else is at hand. TLS gives the bytes of one record at a time, so the caller would
/// otherwise be woken for each record. Returns the length of the first piece, 0 at the end. Safe to cancel.
async fn receive(stream: &mut (impl AsyncRead + Unpin), space: &mut Vec<u8>) -> io::Result<usize> {
    let first = stream.read_buf(space).await?;
    while first > 0 && space.len() < AT_HAND_BYTES {
        let mut more = pin!(stream.read_buf(space));
        match poll_fn(|context| Poll::Ready(more.as_mut().poll(context))).await {
            Poll::Ready(Ok(1..)) => {}
            // The next call meets the end or the failure again; the bytes before it are used first.
            _ => break,
        }
    }
    Ok(first)
}
