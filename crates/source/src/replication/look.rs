//! A short read of the log: is the file still the same, and does it have the same event at the same offset?

use bitacora_binlog::{CHECKSUM_BYTES, EventType};

use super::dump::dump_file;
use super::register::negotiate_checksum;
use crate::identity::server_identity;
use crate::log_mark::{EventMark, LogMark};
use crate::wire::Connection;
use crate::{Error, Position};

/// Flag of the dump command: the server ends the dump at the end of its log instead of waiting.
const NON_BLOCK: u16 = 1;

/// Offset of the first event in a binlog file; four magic bytes come before it.
pub(super) const FIRST_POSITION: u32 = 4;

/// Server id 0 means that the client is not a replica, so the server does not end a replica's connection for it.
const NO_REPLICA: u32 = 0;

const HEADER_BYTES: usize = 19;

/// MariaDB's event before the others in an encrypted file.
const START_ENCRYPTION: EventType = EventType(164);

/// Result of a comparison with a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The log matches the mark.
    Same,
    /// The log has another file of that name, or another event at that offset; the clause says which.
    Other(String),
}

/// Compares the log of the server with the identity `server` with a mark. If the connection leads to another server,
/// nothing is compared and the result is [`Look::Same`]. The file must be in the server's list of logs. Consumes the
/// connection, because no statement can follow a dump that was not read to its end.
///
/// # Errors
/// Those of the connection; [`Error::Server`] if the account may not read the log.
pub(crate) async fn look(mut connection: Connection, server: &str, mark: &LogMark) -> Result<Look, Error> {
    if server_identity(&mut connection).await? != server {
        return Ok(Look::Same);
    }
    // The dump command cannot name an offset above 4 GiB. For such an offset only the file is compared.
    let event = mark.event.and_then(|event| Some((event, u32::try_from(event.start).ok()?)));
    let start = event.map_or(FIRST_POSITION, |(_, start)| start);
    let mut stream = Stream::begin(&mut connection, &mark.file, start).await?;
    let Some(created) = stream.created().await? else {
        return Ok(Look::Other(format!("{} ends before offset {start}", mark.file)));
    };
    if created != mark.created {
        return Ok(Look::Other(format!("its {} was created at another time", mark.file)));
    }
    let Some((event, _)) = event else { return Ok(Look::Same) };
    Ok(match stream.next_mark(event.start).await? {
        Some(found) if found == event => Look::Same,
        Some(_) => Look::Other(format!("it has another event at {}:{start}", mark.file)),
        None => Look::Other(format!("{} ends before offset {start}", mark.file)),
    })
}

/// Reads the mark of the beginning of a position's file; `None` if the connection leads to a server with another
/// identity. Consumes the connection, as [`look`] does.
///
/// # Errors
/// Those of [`look`].
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
                // On both servers the event ends with the algorithm of the file's checksums and a checksum of its own.
                let has_checksum = event.len().checked_sub(CHECKSUM_BYTES + 1).and_then(|at| event.get(at)) == Some(&1);
                self.checksum_bytes = if has_checksum { CHECKSUM_BYTES } else { 0 };
                return Ok(event.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)));
            }
        }
        Ok(None)
    }

    /// Returns the mark of the next event after the format description, which begins at `start` in the file.
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
