//! A short read of the log: is the file the same one as before, and does the same event stand at the same offset?

use bitacora_binlog::{CHECKSUM_BYTES, EventType};

use super::dump::dump_file;
use super::register::negotiate_checksum;
use crate::identity::server_identity;
use crate::log_mark::{EventMark, LogMark};
use crate::wire::Connection;
use crate::{Error, Position};

/// Ends a dump at the end of the log.
const NON_BLOCK: u16 = 1;

/// First position behind the magic bytes of a binlog file.
pub(super) const FIRST_POSITION: u32 = 4;

/// The server id of a client that is no replica: the server ends no other connection for it.
const NO_REPLICA: u32 = 0;

const HEADER_BYTES: usize = 19;

/// MariaDB's event in front of an encrypted file's events.
const START_ENCRYPTION: EventType = EventType(164);

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The mark fits.
    Same,
    /// The file of that name is another one, or something else stands at the place; in one clause.
    Other(String),
}

/// Compares the log of server `server` with a mark. If the connection leads to another server, nothing is compared and
/// the answer is [`Look::Same`]. The file must be in the server's list of logs. Consumes the connection, because a dump
/// that is left before its end cannot be followed by a statement.
///
/// # Errors
/// Those of the connection; [`Error::Server`] where the account may not read the log.
pub(crate) async fn look(mut connection: Connection, server: &str, mark: &LogMark) -> Result<Look, Error> {
    if server_identity(&mut connection).await? != server {
        return Ok(Look::Same);
    }
    // The dump command cannot name an offset above 4 GiB; there the file alone is compared.
    let event = mark.event.and_then(|event| Some((event, u32::try_from(event.start).ok()?)));
    let start = event.map_or(FIRST_POSITION, |(_, start)| start);
    let mut stream = Stream::begin(&mut connection, &mark.file, start).await?;
    let Some(created) = stream.created().await? else {
        return Ok(Look::Other(format!("{} ends before offset {start}", mark.file)));
    };
    if created != mark.created {
        return Ok(Look::Other(format!("{} was created at another time", mark.file)));
    }
    let Some((event, _)) = event else { return Ok(Look::Same) };
    Ok(match stream.next_mark(event.start).await? {
        Some(found) if found == event => Look::Same,
        Some(_) => Look::Other(format!("another event stands at {}:{start}", mark.file)),
        None => Look::Other(format!("{} ends before offset {start}", mark.file)),
    })
}

/// Reads the mark of the beginning of a position's file, if the connection leads to the server with this identity. The
/// connection cannot be used afterwards.
///
/// # Errors
/// As [`look`].
pub(crate) async fn file_mark(
    mut connection: Connection,
    server: &str,
    position: &Position,
) -> Result<Option<LogMark>, Error> {
    if server_identity(&mut connection).await? != server {
        return Ok(None);
    }
    let mut stream = Stream::begin(&mut connection, &position.file, FIRST_POSITION).await?;
    let created = stream.created().await?;
    Ok(created.map(|created| LogMark { file: position.file.clone(), created, event: None }))
}

/// A dump that is read event by event and left before its end.
pub(super) struct Stream<'a> {
    connection: &'a mut Connection,
    checksum_bytes: usize,
}

impl Stream<'_> {
    pub(super) async fn begin<'a>(connection: &'a mut Connection, file: &str, start: u32) -> Result<Stream<'a>, Error> {
        // 4: this client understands all of MariaDB's events, so the server sends them as they are.
        connection.execute("SET @mariadb_slave_capability = 4").await?;
        negotiate_checksum(connection).await?;
        connection.command(&dump_file(NO_REPLICA, NON_BLOCK, file, start), "looking into the log").await?;
        Ok(Stream { connection, checksum_bytes: 0 })
    }

    /// Returns the error of an event that cannot be decoded.
    pub(super) fn malformed(&self) -> Error {
        self.connection.malformed("event of the replication stream")
    }

    /// Reads up to the format description; tells when the file was created, `None` where it has no such place.
    async fn created(&mut self) -> Result<Option<u32>, Error> {
        while let Some(event) = self.next().await? {
            if kind(&event) == EventType::FORMAT_DESCRIPTION {
                // The event ends with the kind of checksum and a checksum of its own, on both servers.
                let has_checksum = event.len().checked_sub(CHECKSUM_BYTES + 1).and_then(|at| event.get(at)) == Some(&1);
                self.checksum_bytes = if has_checksum { CHECKSUM_BYTES } else { 0 };
                return Ok(event.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)));
            }
        }
        Ok(None)
    }

    /// The mark of the event behind the format description, as of one that begins at `start`.
    async fn next_mark(&mut self, start: u64) -> Result<Option<EventMark>, Error> {
        while let Some(event) = self.next().await? {
            if kind(&event) != START_ENCRYPTION {
                return Ok(Some(EventMark::of(&event, start, self.checksum_bytes)));
            }
        }
        Ok(None)
    }

    /// The next event; `None` at the end of the log, or where the server finds no event at the place.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let packet = self.connection.packet("looking into the log").await?;
        let packet = self.connection.bytes(packet);
        match packet.split_first() {
            Some((0x00, event)) if event.len() >= HEADER_BYTES => Ok(Some(event.to_vec())),
            Some((0xff, _)) => match self.connection.server_error(packet, "a look into the log") {
                Error::Server { code: 1236, .. } => Ok(None),
                error => Err(error),
            },
            Some((0xfe, _)) => Ok(None),
            _ => Err(self.connection.malformed("packet of the replication stream")),
        }
    }
}

fn kind(event: &[u8]) -> EventType {
    EventType(event.get(4).copied().unwrap_or_default())
}
