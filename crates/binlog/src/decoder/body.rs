//! From the bytes of a body to [`Body`], by the event's type and what earlier events left behind.

use super::state::State;
use crate::{
    bitmap::bit,
    compressed,
    cursor::Cursor,
    error::Error,
    event::{Body, Gtid, GtidList, Heartbeat, Incident, MariadbGtid, PreviousGtids, Query, Rotate, XaPrepare},
    event_type::EventType,
    header::{EventHeader, HEADER_BYTES},
    limits::Limits,
    rows::{Origin, RowsEvent, RowsKind},
    table::{TableMap, fingerprint, read_table_id},
};
use std::sync::Arc;

/// Most table maps that are kept. A running statement needs far fewer, and the log repeats a map before the next
/// statement that uses it.
const TABLE_LIMIT: usize = 16 * 1024;

impl State {
    /// Decodes a body without header and checksum.
    pub(crate) fn decode_body<'a>(
        &'a mut self,
        header: &EventHeader,
        body: &'a [u8],
        limits: Limits,
    ) -> Result<Body<'a>, Error> {
        let mut cursor = Cursor::new(body);
        let kind = header.kind;
        let result = match kind {
            EventType::TABLE_MAP => return self.decode_table_map(header, body),
            EventType::WRITE_ROWS
            | EventType::WRITE_ROWS_V1
            | EventType::WRITE_ROWS_COMPRESSED
            | EventType::WRITE_ROWS_COMPRESSED_V1 => return self.decode_rows(header, body, RowsKind::Insert, limits),
            EventType::UPDATE_ROWS
            | EventType::UPDATE_ROWS_V1
            | EventType::UPDATE_ROWS_COMPRESSED
            | EventType::UPDATE_ROWS_COMPRESSED_V1 => return self.decode_rows(header, body, RowsKind::Update, limits),
            EventType::DELETE_ROWS
            | EventType::DELETE_ROWS_V1
            | EventType::DELETE_ROWS_COMPRESSED
            | EventType::DELETE_ROWS_COMPRESSED_V1 => return self.decode_rows(header, body, RowsKind::Delete, limits),
            EventType::PARTIAL_UPDATE_ROWS => self.read_partial_rows(&mut cursor),
            EventType::QUERY_COMPRESSED => self.read_compressed_query(&mut cursor, limits),
            _ => read_stateless(&mut cursor, header),
        };
        result.map_err(|error| header.locate(HEADER_BYTES + cursor.offset(), error))
    }

    fn decode_table_map<'a>(&'a mut self, header: &EventHeader, body: &[u8]) -> Result<Body<'a>, Error> {
        let id_bytes = self.format.table_id_bytes(EventType::TABLE_MAP);
        let mut cursor = Cursor::new(body);
        let at = |error| header.locate(HEADER_BYTES, error);
        let table_id = read_table_id(&mut cursor, id_bytes).map_err(at)?;
        let flags = cursor.u16("the flags of a table map").map_err(at)?;
        let described = cursor.rest();
        let is_known = self
            .tables
            .get(&table_id)
            .is_some_and(|(table, bytes)| table.flags == flags && bytes.as_ref() == described);
        if !is_known {
            let table = TableMap::parse(body, id_bytes, self.format.flavor)
                .map_err(|(error, offset)| header.locate(HEADER_BYTES + offset, error))?;
            debug_assert_eq!(table.fingerprint, fingerprint(described));
            if self.tables.len() >= TABLE_LIMIT {
                self.tables.retain(|id, _| id.abs_diff(table_id) < TABLE_LIMIT as u64 / 2);
            }
            self.tables.insert(table_id, (Arc::new(table), described.into()));
        }
        match self.tables.get(&table_id) {
            Some((table, _)) => Ok(Body::TableMap(table)),
            None => Err(at(Error::UnknownTable { table_id })),
        }
    }

    fn decode_rows<'a>(
        &'a mut self,
        header: &EventHeader,
        body: &'a [u8],
        rows_kind: RowsKind,
        limits: Limits,
    ) -> Result<Body<'a>, Error> {
        let mut cursor = Cursor::new(body);
        self.read_rows(&mut cursor, header, rows_kind, limits)
            .map_err(|error| header.locate(HEADER_BYTES + cursor.offset(), error))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "an event is below 4 GiB: its header has 32 bits for the length"
    )]
    fn read_rows<'a>(
        &'a mut self,
        cursor: &mut Cursor<'a>,
        header: &EventHeader,
        rows_kind: RowsKind,
        limits: Limits,
    ) -> Result<Body<'a>, Error> {
        let kind = header.kind;
        let table_id = read_table_id(cursor, self.format.table_id_bytes(kind))?;
        let flags = cursor.u16("the flags of a rows event")?;
        let extra = if has_extra(kind) { read_extra(cursor)? } else { &[] };
        // A server that filters out all rows of a statement still sends the end of the statement, under an id that no
        // table has.
        if matches!(table_id, 0x00ff_ffff | 0xffff_ffff_ffff) && flags & RowsEvent::FLAG_STATEMENT_END != 0 {
            return Ok(Body::StatementEnd);
        }
        let Some((table, _)) = self.tables.get(&table_id) else { return Err(Error::UnknownTable { table_id }) };
        let count = cursor.lenenc("the column count of a rows event")?;
        if count != table.columns.len() as u64 {
            let map = table.columns.len() as u64;
            return Err(Error::ColumnCount { table: format!("{}.{}", table.database, table.table), rows: count, map });
        }
        let before_present = match rows_kind {
            RowsKind::Insert => None,
            RowsKind::Update | RowsKind::Delete => read_present(cursor, table.columns.len())?,
        };
        let after_present = match rows_kind {
            RowsKind::Delete => None,
            RowsKind::Insert | RowsKind::Update => read_present(cursor, table.columns.len())?,
        };
        let images_offset = cursor.offset() as u32;
        let images = if is_compressed(kind) {
            compressed::inflate(cursor.rest(), limits.event_bytes, &mut self.inflater, &mut self.inflated)?;
            self.inflated.as_slice()
        } else {
            cursor.rest()
        };
        Ok(Body::Rows(RowsEvent {
            kind: rows_kind,
            table,
            flags,
            extra,
            before_present,
            after_present,
            images,
            images_offset,
            origin: Origin { kind, next_position: header.next_position },
        }))
    }

    fn read_partial_rows<'a>(&'a self, cursor: &mut Cursor<'a>) -> Result<Body<'a>, Error> {
        let table_id = read_table_id(cursor, 6)?;
        let flags = cursor.u16("the flags of a rows event")?;
        match self.tables.get(&table_id) {
            Some((table, _)) => Ok(Body::PartialUpdateRows { table, flags, data: cursor.rest() }),
            None => Err(Error::UnknownTable { table_id }),
        }
    }

    fn read_compressed_query<'a>(&'a mut self, cursor: &mut Cursor<'a>, limits: Limits) -> Result<Body<'a>, Error> {
        let query = Query::read(cursor)?;
        compressed::inflate(query.sql, limits.event_bytes, &mut self.inflater, &mut self.inflated)?;
        Ok(Body::Query(Query { sql: &self.inflated, ..query }))
    }
}

/// Reads the events that need nothing from earlier ones.
fn read_stateless<'a>(cursor: &mut Cursor<'a>, header: &EventHeader) -> Result<Body<'a>, Error> {
    Ok(match header.kind {
        EventType::ROTATE => Body::Rotate(Rotate::read(cursor)?),
        EventType::GTID => Body::Gtid(Gtid::read(cursor, true)?),
        EventType::ANONYMOUS_GTID => Body::Gtid(Gtid::read(cursor, false)?),
        EventType::GTID_TAGGED => Body::Gtid(Gtid::read_tagged(cursor)?),
        EventType::MARIADB_GTID => Body::MariadbGtid(MariadbGtid::read(cursor, header.server_id)?),
        EventType::PREVIOUS_GTIDS => Body::PreviousGtids(PreviousGtids(cursor.rest())),
        EventType::GTID_LIST => Body::GtidList(GtidList::read(cursor)?),
        EventType::QUERY => Body::Query(Query::read(cursor)?),
        EventType::EXECUTE_LOAD_QUERY => Body::ExecuteLoadQuery(Query::read_execute_load(cursor)?),
        EventType::XID => Body::Xid(cursor.u64("a XID event")?),
        EventType::XA_PREPARE => Body::XaPrepare(XaPrepare::read(cursor)?),
        EventType::ROWS_QUERY => {
            // The length in front is one byte and too small for long statements, so it is skipped.
            cursor.u8("a rows-query event")?;
            Body::RowsQuery(cursor.rest())
        }
        EventType::ANNOTATE_ROWS => Body::AnnotateRows(cursor.rest()),
        EventType::HEARTBEAT => Body::Heartbeat(Heartbeat::read_v1(cursor, header.next_position)),
        EventType::HEARTBEAT_V2 => Body::Heartbeat(Heartbeat::read_v2(cursor)?),
        EventType::INCIDENT => Body::Incident(Incident::read(cursor)?),
        EventType::STOP => Body::Stop,
        EventType::START_ENCRYPTION => Body::StartEncryption(cursor.rest()),
        EventType::BINLOG_CHECKPOINT => {
            let length = cursor.u32("a binlog checkpoint")?;
            Body::BinlogCheckpoint { file: cursor.take(length as usize, "a binlog checkpoint")? }
        }
        kind if kind != EventType::UNKNOWN && kind.name().is_some() => Body::Other(cursor.rest()),
        _ => Body::Unknown(cursor.rest()),
    })
}

fn has_extra(kind: EventType) -> bool {
    matches!(
        kind,
        EventType::WRITE_ROWS
            | EventType::UPDATE_ROWS
            | EventType::DELETE_ROWS
            | EventType::WRITE_ROWS_COMPRESSED
            | EventType::UPDATE_ROWS_COMPRESSED
            | EventType::DELETE_ROWS_COMPRESSED
    )
}

fn is_compressed(kind: EventType) -> bool {
    (EventType::WRITE_ROWS_COMPRESSED_V1..=EventType::DELETE_ROWS_COMPRESSED).contains(&kind)
}

fn read_extra<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Error> {
    const WHAT: &str = "the extra part of a rows event";
    let length = cursor.u16(WHAT)?;
    match length.checked_sub(2) {
        Some(length) => cursor.take(usize::from(length), WHAT),
        None => Err(Error::Invalid { what: WHAT, value: u64::from(length) }),
    }
}

/// Reads a bitmap of present columns; `None` when all are.
fn read_present<'a>(cursor: &mut Cursor<'a>, columns: usize) -> Result<Option<&'a [u8]>, Error> {
    let bitmap = cursor.take(columns.div_ceil(8), "the bitmap of present columns")?;
    let is_full = (0..columns).all(|column| bit(bitmap, column));
    Ok(if is_full { None } else { Some(bitmap) })
}
