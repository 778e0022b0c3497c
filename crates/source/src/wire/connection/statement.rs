//! Sends statements and reads their results: row by row in place, or as a whole into memory.

use std::ops::Range;
use std::time::Duration;

use super::state::Connection;
use crate::Error;
use crate::wire::read::Reader;
use crate::wire::result::{ColumnDefinition, Table, TextRow, is_end};

/// Most bytes of a result that is read into memory.
const TABLE_BYTES: usize = 256 << 20;

/// Most columns of a result. The servers allow 4096 in a table, so more means damage.
const MAX_COLUMNS: u64 = 65_536;

impl Connection {
    /// Runs a statement and drops its rows, if it has any.
    pub async fn execute(&mut self, sql: &str) -> Result<(), Error> {
        self.query(sql).await.map(drop)
    }

    /// Runs a statement and reads its rows into memory (at most 256 MiB).
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

    pub(super) async fn query_unlimited(&mut self, sql: &str) -> Result<Table, Error> {
        let columns = self.start_query(sql).await?;
        self.collect(columns).await
    }

    /// Reads the rows of a result into memory.
    pub(super) async fn collect(&mut self, columns: Vec<ColumnDefinition>) -> Result<Table, Error> {
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

    /// Runs a statement and returns the columns of its result; [`Connection::next_row`] then returns the rows. A
    /// statement without a result has no columns and is complete.
    pub async fn start_query(&mut self, sql: &str) -> Result<Vec<ColumnDefinition>, Error> {
        self.send_statement(sql).await?;
        self.result_columns(&shortened(sql)).await
    }

    pub(super) async fn send_statement(&mut self, sql: &str) -> Result<(), Error> {
        let mut payload = Vec::with_capacity(sql.len() + 1);
        payload.push(0x03);
        payload.extend_from_slice(sql.as_bytes());
        self.command(&payload, "sending a statement").await
    }

    /// Reads the columns of a statement's answer; `during` names the statement in an error.
    pub(super) async fn result_columns(&mut self, during: &str) -> Result<Vec<ColumnDefinition>, Error> {
        let packet = self.packet("waiting for an answer").await?;
        let packet = self.buffer.get(packet);
        let count = match packet.first() {
            Some(0x00) => return Ok(Vec::new()),
            Some(0xff) => return Err(self.server_error(packet, during)),
            // 0xfb asks for a local file (LOAD DATA LOCAL). This client never sends one.
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

    /// Returns the next row of the open result; `None` after the last one.
    pub async fn next_row(&mut self) -> Result<Option<TextRow<'_>>, Error> {
        let packet = self.next_row_packet().await?;
        Ok(packet.map(|packet| TextRow::new(self.buffer.get(packet))))
    }

    async fn next_row_packet(&mut self) -> Result<Option<Range<usize>>, Error> {
        let packet = self.packet("reading rows").await?;
        self.row_or_end(packet)
    }

    /// Returns the next row if all its bytes have arrived.
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

    /// Puts back the row that was read last, so that the next read returns it again.
    pub fn put_back_row(&mut self) {
        self.buffer.put_back_last();
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
}

/// Result of [`Connection::buffered_row`].
#[derive(Debug)]
pub enum BufferedRow<'a> {
    /// A row.
    Row(TextRow<'a>),
    /// The result is complete.
    End,
    /// More bytes must be received first.
    Wait,
}

/// Returns the first words of a statement for a message.
pub(super) fn shortened(sql: &str) -> String {
    let mut text: String = sql.chars().take(80).collect();
    if text.len() < sql.len() {
        text.push('…');
    }
    format!("`{text}`")
}
