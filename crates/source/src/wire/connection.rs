//! A connection that is logged in: statements, results read in place, raw commands.
//!
//! Life cycle: [`Connection::open`] connects, negotiates TLS and logs in; then one command after the other, each read
//! to its end. A connection that gave an error other than a server error is of no further use. Dropping it closes the
//! socket; the server notices and ends the session.

use std::future::{Future as _, poll_fn};
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::buffer::{PacketBuffer, PacketError, put_packet};
use super::read::Reader;
use super::result::{ColumnDefinition, ErrorPacket, Table, TextRow, is_end};
use super::session;
use super::tls::TlsStream;
use crate::{Error, ServerConfig, ServerVersion};

/// Rows of a result that is held in memory may take this much.
const TABLE_BYTES: usize = 256 << 20;

/// Bytes that are collected before they are used, if they are at hand.
const AT_HAND_BYTES: usize = 256 << 10;

/// Columns of a result; the servers allow 4096 in a table.
const MAX_COLUMNS: u64 = 65_536;

mod batch;
mod login;

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
    Closed,
}

/// A session on one server.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    buffer: PacketBuffer,
    /// Sequence number of the next packet of an exchange.
    sequence: u8,
    version: ServerVersion,
    connection_id: u32,
    capabilities: u32,
    address: String,
    query_timeout_ms: u64,
    batches: batch::Batches,
    latent: Option<Error>,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Plain TCP.
    None,
    /// TLS.
    Tls,
}

impl Connection {
    /// Connects, logs in and sets the variables of the session, whatever the server's defaults are.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::Timeout`], the TLS errors, and [`Error::Server`] where the login is refused.
    pub async fn open(config: &ServerConfig) -> Result<Connection, Error> {
        let limit = Duration::from_millis(config.connect_timeout_ms);
        // Boxed, because the state of the TLS handshake is large.
        let mut connection = match tokio::time::timeout(limit, Box::pin(Connection::log_in(config))).await {
            Ok(result) => result?,
            Err(_) => {
                return Err(Error::Timeout {
                    address: config.address(),
                    what: "Connecting and logging in",
                    limit_ms: config.connect_timeout_ms,
                });
            }
        };
        session::settle(&mut connection).await?;
        Ok(connection)
    }

    /// Gives product and version of the server.
    pub fn version(&self) -> &ServerVersion {
        &self.version
    }

    /// Gives the server's number of this connection.
    pub fn connection_id(&self) -> u32 {
        self.connection_id
    }

    /// Gives `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Tells whether the connection is encrypted.
    pub fn encryption(&self) -> Encryption {
        match self.stream {
            Stream::Tls(_) => Encryption::Tls,
            _ => Encryption::None,
        }
    }

    /// Returns why the next login may fail although this one did not: the server knew the password's digest, and its cache
    /// is empty after a restart.
    pub fn latent_refusal(&self) -> Option<&Error> {
        self.latent.as_ref()
    }

    /// Runs a statement that gives no rows.
    pub async fn execute(&mut self, sql: &str) -> Result<(), Error> {
        self.query(sql).await.map(drop)
    }

    /// Runs a statement and holds its rows in memory (at most 256 MiB).
    pub async fn query(&mut self, sql: &str) -> Result<Table, Error> {
        match tokio::time::timeout(Duration::from_millis(self.query_timeout_ms), self.query_unlimited(sql)).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout {
                address: self.address.clone(),
                what: "The answer to a statement",
                limit_ms: self.query_timeout_ms,
            }),
        }
    }

    async fn query_unlimited(&mut self, sql: &str) -> Result<Table, Error> {
        let columns = self.start_query(sql).await?;
        self.collect(columns).await
    }

    /// Reads the rows of a result into memory.
    async fn collect(&mut self, columns: Vec<ColumnDefinition>) -> Result<Table, Error> {
        let mut table = Table::new(columns.into_iter().map(|column| column.name).collect());
        if table.columns.is_empty() {
            return Ok(table);
        }
        let mut bytes = 0;
        while let Some(packet) = self.next_row_packet().await? {
            let packet = self.buffer.get(packet);
            bytes += packet.len();
            if bytes > TABLE_BYTES {
                return Err(Error::PacketTooLarge { limit_bytes: TABLE_BYTES });
            }
            if !table.push(packet) {
                return Err(self.malformed("row"));
            }
        }
        Ok(table)
    }

    /// Runs a statement and reads the columns of its result; the rows follow with [`Connection::next_row`]. A statement
    /// without a result gives no columns and is complete.
    pub async fn start_query(&mut self, sql: &str) -> Result<Vec<ColumnDefinition>, Error> {
        self.send_statement(sql).await?;
        self.result_columns(&shortened(sql)).await
    }

    async fn send_statement(&mut self, sql: &str) -> Result<(), Error> {
        let mut payload = Vec::with_capacity(sql.len() + 1);
        payload.push(0x03);
        payload.extend_from_slice(sql.as_bytes());
        self.command(&payload, "sending a statement").await
    }

    /// Reads the head of a statement's answer; `during` names the statement in an error.
    async fn result_columns(&mut self, during: &str) -> Result<Vec<ColumnDefinition>, Error> {
        let packet = self.packet("waiting for an answer").await?;
        let packet = self.buffer.get(packet);
        let count = match packet.first() {
            Some(0x00) => return Ok(Vec::new()),
            Some(0xff) => return Err(self.server_error(packet, during)),
            // 0xfb asks for a local file, which this client never sends.
            Some(0xfb) => return Err(self.malformed("answer to a statement (a request for a local file)")),
            _ => Reader::new(packet).length_encoded().ok_or_else(|| self.malformed("result"))?,
        };
        if count == 0 || count > MAX_COLUMNS {
            return Err(self.malformed("result"));
        }
        let mut columns = Vec::new();
        for _ in 0..count {
            let packet = self.packet("reading columns").await?;
            let column = ColumnDefinition::parse(self.buffer.get(packet));
            columns.push(column.ok_or_else(|| self.malformed("column definition"))?);
        }
        let packet = self.packet("reading columns").await?;
        let packet = self.buffer.get(packet);
        match packet.first() {
            Some(0xff) => Err(self.server_error(packet, during)),
            _ if is_end(packet) => Ok(columns),
            _ => Err(self.malformed("end of the column definitions")),
        }
    }

    /// Gives the next row of the running result, `None` after the last one.
    pub async fn next_row(&mut self) -> Result<Option<TextRow<'_>>, Error> {
        let packet = self.next_row_packet().await?;
        Ok(packet.map(|packet| TextRow::new(self.buffer.get(packet))))
    }

    async fn next_row_packet(&mut self) -> Result<Option<Range<usize>>, Error> {
        let packet = self.packet("reading rows").await?;
        self.row_or_end(packet)
    }

    /// Gives the next row if all its bytes have been received already.
    #[inline]
    pub fn buffered_row(&mut self) -> Result<BufferedRow<'_>, Error> {
        let Some(packet) = self.buffered_packet()? else { return Ok(BufferedRow::Wait) };
        Ok(match self.row_or_end(packet)? {
            Some(packet) => BufferedRow::Row(TextRow::new(self.buffer.get(packet))),
            None => BufferedRow::End,
        })
    }

    #[inline]
    fn row_or_end(&self, packet: Range<usize>) -> Result<Option<Range<usize>>, Error> {
        let bytes = self.buffer.get(packet.clone());
        match bytes.first() {
            Some(0xff) => Err(self.server_error(bytes, "reading rows")),
            _ if is_end(bytes) => Ok(None),
            _ => Ok(Some(packet)),
        }
    }

    /// Gives the row that was read last once more with the next read.
    pub fn put_back_row(&mut self) {
        self.buffer.put_back_last();
    }

    /// Sends a command with a fresh sequence number.
    pub async fn command(&mut self, payload: &[u8], what: &'static str) -> Result<(), Error> {
        self.sequence = 0;
        let mut wire = Vec::with_capacity(payload.len() + 4);
        put_packet(&mut wire, payload, 0);
        self.write(&wire, what).await
    }

    /// Reads an answer that is either OK or an error.
    pub async fn acknowledged(&mut self, during: &str) -> Result<(), Error> {
        let packet = self.packet("waiting for an answer").await?;
        let packet = self.buffer.get(packet);
        match packet.first() {
            Some(0x00 | 0xfe) => Ok(()),
            Some(0xff) => Err(self.server_error(packet, during)),
            _ => Err(self.malformed("answer")),
        }
    }

    /// Sends the next packet of an exchange.
    async fn send(&mut self, payload: &[u8], what: &'static str) -> Result<(), Error> {
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

    /// Reads one packet that is answered by this client.
    async fn packet_of_exchange(&mut self, what: &'static str) -> Result<Range<usize>, Error> {
        let packet = self.packet(what).await?;
        self.sequence = self.buffer.sequence().wrapping_add(1);
        Ok(packet)
    }

    /// Reads one packet; its bytes are in [`Connection::bytes`] until more is read.
    pub(crate) async fn packet(&mut self, what: &'static str) -> Result<Range<usize>, Error> {
        loop {
            if let Some(packet) = self.buffered_packet()? {
                return Ok(packet);
            }
            self.fill_in_time(what).await?;
        }
    }

    /// Gives the next packet if all its bytes have been received already.
    #[inline]
    pub(crate) fn buffered_packet(&mut self) -> Result<Option<Range<usize>>, Error> {
        self.buffer.take().map_err(|error| match error {
            PacketError::TooLarge => Error::PacketTooLarge { limit_bytes: self.buffer.limit_bytes() },
        })
    }

    /// Gives the bytes of a packet.
    #[inline]
    pub fn bytes(&self, packet: Range<usize>) -> &[u8] {
        self.buffer.get(packet)
    }

    /// Gives the receive buffer, to take packets out of it without copying.
    pub fn buffer(&mut self) -> &mut PacketBuffer {
        &mut self.buffer
    }

    /// Receives more bytes of an answer, which may not pause for longer than the limit of a statement.
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

    /// The error of a connection that the server has ended.
    pub(crate) fn ended(&self, what: &'static str) -> Error {
        self.lost(what, io::ErrorKind::UnexpectedEof.into())
    }

    fn lost(&self, what: &'static str, source: io::Error) -> Error {
        // TLS has words of its own for it, with the address of a library's page.
        let source = match source.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(source.kind(), "the server closed the connection"),
            _ => source,
        };
        Error::Lost { address: self.address.clone(), what, source }
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

/// Answer of [`Connection::buffered_row`].
#[derive(Debug)]
pub enum BufferedRow<'a> {
    /// A row.
    Row(TextRow<'a>),
    /// The result is complete.
    End,
    /// More bytes must be received first.
    Wait,
}

/// Gives the first words of a statement for a message.
fn shortened(sql: &str) -> String {
    let mut text: String = sql.chars().take(80).collect();
    if text.len() < sql.len() {
        text.push('…');
    }
    format!("`{text}`")
}

/// Waits for bytes and takes what else is at hand, which comes in pieces of a TLS record; so the user of the bytes is woken for
/// many of them. Gives the count of the first piece, 0 at the end. Safe to cancel.
async fn receive(stream: &mut (impl AsyncRead + Unpin), space: &mut Vec<u8>) -> io::Result<usize> {
    let first = stream.read_buf(space).await?;
    while first > 0 && space.len() < AT_HAND_BYTES {
        let mut more = pin!(stream.read_buf(space));
        match poll_fn(|context| Poll::Ready(more.as_mut().poll(context))).await {
            Poll::Ready(Ok(1..)) => {}
            // The end, or a failure, is met again by the next call; what came before it is used first.
            _ => break,
        }
    }
    Ok(first)
}
