//! The shape of a table at a place of the log, where no description of that time exists: the server's own description
//! of now, if the log shows that nothing has changed the table since.
//!
//! The order matters. First a statement on the table opens a transaction, which holds the table's metadata lock: until
//! the transaction ends, no statement can change the table, and each one that did has been written to the log. Then the
//! server describes the table, and last it is asked where its log ends. So the description holds at that end. A short
//! read of the log from the place to that end then finds every statement that may have changed the table; without one,
//! the description holds at the place, too.

use std::cmp::Ordering;

use bitacora_binlog::event::{Body, Query};
use bitacora_binlog::{Decoder, EventHeader, EventType};

use super::log_end::{LogEnd, log_end};
use super::look::{FIRST_POSITION, Stream};
use crate::ddl::{NameCase, StatementPlace, Table, scan_query};
use crate::identity::server_identity;
use crate::schema::{described, server_defaults};
use crate::wire::Connection;
use crate::{Error, ServerConfig, TableName, quoted};

/// What is known of a table at a place of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShapeThen {
    /// It had the shape that it has now.
    Same(Box<Table>),
    /// It was the sequence that it is now, which is no table.
    Sequence,
    /// A statement may have changed it since.
    Changed(StatementPlace),
    /// It does not exist any more.
    Gone,
    /// The log between the place and now is not there any more.
    Purged,
    /// The address leads to another server now, whose log has other places.
    OtherServer,
}

/// Finds out which shape a table had at a place of the log. `server` is the identity of the server that wrote it.
///
/// # Errors
/// Those of the connection, and the server's refusals.
pub async fn shape_at(
    config: &ServerConfig,
    server: &str,
    name: &TableName,
    place: &StatementPlace,
) -> Result<ShapeThen, Error> {
    let mut connection = Connection::open(config).await?;
    if server_identity(&mut connection).await? != server {
        return Ok(ShapeThen::OtherServer);
    }
    let names = NameCase::of_setting(server_defaults(&mut connection).await?.lower_case_table_names);
    connection.execute("START TRANSACTION READ ONLY").await?;
    let lock = format!("SELECT 1 FROM {}.{} LIMIT 0", quoted(&name.database), quoted(&name.table));
    match connection.query(&lock).await {
        Err(error) if error.is_table_gone() => return Ok(ShapeThen::Gone),
        locked => locked.map(|_| ())?,
    }
    let table = described(&mut connection, name).await?;
    let Some(end) = log_end(&mut connection).await? else { return Ok(ShapeThen::OtherServer) };
    connection.execute("ROLLBACK").await?;
    let mut connection = Connection::open(config).await?;
    if server_identity(&mut connection).await? != server {
        return Ok(ShapeThen::OtherServer);
    }
    Ok(match (first_change(&mut connection, name, names, place, &end).await?, table) {
        (Between::Nothing, Some(table)) => ShapeThen::Same(Box::new(table)),
        (Between::Nothing, None) => ShapeThen::Sequence,
        (Between::Change(place), _) => ShapeThen::Changed(place),
        (Between::Unread, _) => ShapeThen::Purged,
    })
}

/// What lies in the log between a place and an end.
enum Between {
    /// Nothing that may have changed the table.
    Nothing,
    /// A statement that may have changed it.
    Change(StatementPlace),
    /// The server does not have all of it any more.
    Unread,
}

/// Reads the log behind a place, up to `end` or the first statement that may have changed a table.
async fn first_change(
    connection: &mut Connection,
    name: &TableName,
    names: NameCase,
    place: &StatementPlace,
    end: &LogEnd,
) -> Result<Between, Error> {
    // The dump command cannot name an offset above 4 GiB; then the file is read from its beginning.
    let start = u32::try_from(place.offset).unwrap_or(FIRST_POSITION).max(FIRST_POSITION);
    let mut stream = Stream::begin(connection, &place.file, start).await?;
    let mut decoder = Decoder::new();
    let mut at = LogEnd { file: place.file.clone(), offset: u64::from(start) };
    while let Some(bytes) = stream.next().await? {
        let header = EventHeader::parse(&bytes).map_err(|_| stream.malformed())?;
        if header.is_artificial() && header.kind != EventType::ROTATE && header.kind != EventType::FORMAT_DESCRIPTION {
            continue;
        }
        let begin = at.offset;
        // Rows are not decoded: the table map of the first ones lies before the place.
        if !is_read(header.kind) {
            at.offset = end_of_event(begin, header);
        } else {
            let event = decoder.decode(&bytes).map_err(|_| stream.malformed())?;
            match event.body {
                Body::Rotate(rotate) => {
                    let file = String::from_utf8_lossy(rotate.file).into_owned();
                    at = LogEnd { file, offset: rotate.position };
                    continue;
                }
                // Sent again to a dump that does not begin at the start of a file.
                Body::FormatDescription(_) if u64::from(header.next_position) <= begin => continue,
                body => {
                    let is_after = at.file != place.file || begin > place.offset;
                    if is_after && changes(body, name, names).map_err(|_| stream.malformed())? {
                        return Ok(Between::Change(StatementPlace { file: at.file, offset: begin }));
                    }
                    at.offset = end_of_event(begin, header);
                }
            }
        }
        if at.compare(end).is_some_and(Ordering::is_ge) {
            return Ok(Between::Nothing);
        }
    }
    Ok(if at.compare(end).is_some_and(Ordering::is_ge) { Between::Nothing } else { Between::Unread })
}

/// Returns whether an event may hold a statement, or says where the next one stands.
fn is_read(kind: EventType) -> bool {
    matches!(
        kind,
        EventType::ROTATE
            | EventType::FORMAT_DESCRIPTION
            | EventType::QUERY
            | EventType::QUERY_COMPRESSED
            | EventType::TRANSACTION_PAYLOAD
    )
}

/// Returns whether an event holds a statement that may have changed a table.
fn changes(body: Body<'_>, name: &TableName, names: NameCase) -> Result<bool, bitacora_binlog::Error> {
    let may_reshape = |query: &Query<'_>| scan_query(query).facts.may_reshape(name, names);
    match body {
        Body::Query(query) => Ok(may_reshape(&query)),
        Body::TransactionPayload(mut payload) => {
            while let Some(inner) = payload.next_event()? {
                if let Body::Query(query) = &inner.body
                    && may_reshape(query)
                {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(false),
    }
}

/// Returns the end of an event in its file. Headers hold only the low 32 bits, and MariaDB from 11.4 none inside a
/// transaction.
pub fn end_of_event(begin: u64, header: EventHeader) -> u64 {
    if header.next_position == 0 {
        return begin.saturating_add(u64::from(header.event_bytes));
    }
    let same = (begin & !u64::from(u32::MAX)) | u64::from(header.next_position);
    if same < begin { same.saturating_add(1 << 32) } else { same }
}
