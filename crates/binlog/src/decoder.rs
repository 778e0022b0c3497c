//! From bytes to [`Event`]: verifies length and checksum, keeps what later events need (format, table maps).
//!
//! Life cycle: one decoder for one connection or file. The checksum is what [`Decoder::set_checksum`] says until the first format
//! description. Events are given whole and in order. An error leaves the decoder as it was before the event.

use crate::{
    compressed,
    cursor::Cursor,
    error::Error,
    event::{
        Body, Event, FormatDescription, Gtid, GtidList, Heartbeat, Incident, MariadbGtid, PayloadBuffers,
        PreviousGtids, Query, Rotate, TransactionPayload, XaPrepare,
    },
    event_type::EventType,
    header::{CHECKSUM_BYTES, ChecksumAlgorithm, EventHeader, HEADER_BYTES},
    rows::{Origin, RowsEvent, RowsKind},
    table::{TableMap, fingerprint, read_table_id},
};
use flate2::Decompress;
use std::{collections::HashMap, sync::Arc};

/// Limits against announced lengths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most bytes of one event, plain or inflated. Default 1 GiB, the servers' own limit of a packet.
    pub event_bytes: usize,
    /// Most plain bytes of one compressed transaction; they pass through as a stream. Default 1 TiB.
    pub payload_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 1 << 30, payload_bytes: 1 << 40 }
    }
}

/// Decodes the events of one log in order.
#[derive(Debug, Default)]
pub struct Decoder {
    limits: Limits,
    checksum: ChecksumAlgorithm,
    state: State,
    payload: PayloadBuffers,
}

/// What events leave behind for later ones; also used by the events inside a payload.
#[derive(Debug)]
pub(crate) struct State {
    format: FormatDescription,
    tables: HashMap<u64, (Arc<TableMap>, Box<[u8]>)>,
    inflater: Decompress,
    inflated: Vec<u8>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            format: FormatDescription::default(),
            tables: HashMap::new(),
            inflater: Decompress::new(true),
            inflated: Vec::new(),
        }
    }
}

/// Table maps kept at most; the ones of a running statement are far fewer, and a forgotten one comes again with its next statement.
const TABLE_LIMIT: usize = 16 * 1024;

impl Decoder {
    /// Makes a decoder that expects format version 4 and no checksum until it is told otherwise.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a decoder with its own limits.
    pub fn with_limits(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Says which checksum the connection has negotiated; a format description replaces it.
    pub fn set_checksum(&mut self, checksum: ChecksumAlgorithm) {
        self.checksum = checksum;
    }

    /// The checksum that the next event is expected to have.
    pub fn checksum(&self) -> ChecksumAlgorithm {
        self.checksum
    }

    /// The newest format description.
    pub fn format(&self) -> &FormatDescription {
        &self.state.format
    }

    /// The newest table map of that id.
    pub fn table(&self, table_id: u64) -> Option<&Arc<TableMap>> {
        self.state.tables.get(&table_id).map(|(table, _)| table)
    }

    /// Decodes one whole event, from its header to its checksum.
    ///
    /// # Errors
    /// [`Error::Event`] with the place; [`Error::Truncated`] or [`Error::Length`] when not even the header fits.
    pub fn decode<'a>(&'a mut self, event: &'a [u8]) -> Result<Event<'a>, Error> {
        let header = EventHeader::parse(event)?;
        if u64::from(header.event_bytes) != event.len() as u64 {
            let (announced, actual) = (u64::from(header.event_bytes), event.len() as u64);
            return Err(locate(&header, 0, Error::Length { announced, actual }));
        }
        if event.len() > self.limits.event_bytes {
            let (announced, limit) = (u64::from(header.event_bytes), self.limits.event_bytes as u64);
            return Err(locate(&header, 0, Error::TooLong { what: "an event", announced, limit }));
        }
        let body = match header.kind {
            EventType::FORMAT_DESCRIPTION => {
                let format = read_format(&header, event)?;
                self.checksum = format.checksum;
                self.state.tables.clear();
                self.state.format = format;
                return Ok(Event { header, body: Body::FormatDescription(&self.state.format) });
            }
            EventType::ROTATE if header.is_artificial() => strip_if_present(&header, event, self.checksum)?,
            _ => verify(&header, event, self.checksum)?,
        };
        if header.kind == EventType::TRANSACTION_PAYLOAD {
            let mut cursor = Cursor::new(body);
            let payload = TransactionPayload::read(&mut cursor, self.limits, &mut self.state, &mut self.payload)
                .map_err(|error| locate(&header, HEADER_BYTES, error))?;
            return Ok(Event { header, body: Body::TransactionPayload(payload) });
        }
        let body = self.state.decode_body(&header, body, self.limits)?;
        Ok(Event { header, body })
    }
}

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
            EventType::WRITE_ROWS | EventType::WRITE_ROWS_V1 => {
                return self.decode_rows(header, body, RowsKind::Insert, limits);
            }
            EventType::UPDATE_ROWS | EventType::UPDATE_ROWS_V1 => {
                return self.decode_rows(header, body, RowsKind::Update, limits);
            }
            EventType::DELETE_ROWS | EventType::DELETE_ROWS_V1 => {
                return self.decode_rows(header, body, RowsKind::Delete, limits);
            }
            EventType::WRITE_ROWS_COMPRESSED_V1 | EventType::WRITE_ROWS_COMPRESSED => {
                return self.decode_rows(header, body, RowsKind::Insert, limits);
            }
            EventType::UPDATE_ROWS_COMPRESSED_V1 | EventType::UPDATE_ROWS_COMPRESSED => {
                return self.decode_rows(header, body, RowsKind::Update, limits);
            }
            EventType::DELETE_ROWS_COMPRESSED_V1 | EventType::DELETE_ROWS_COMPRESSED => {
                return self.decode_rows(header, body, RowsKind::Delete, limits);
            }
            EventType::PARTIAL_UPDATE_ROWS => self.read_partial_rows(&mut cursor),
            EventType::QUERY_COMPRESSED => self.read_compressed_query(&mut cursor, limits),
            _ => read_stateless(&mut cursor, header),
        };
        result.map_err(|error| locate(header, HEADER_BYTES + cursor.offset(), error))
    }

    fn decode_table_map<'a>(&'a mut self, header: &EventHeader, body: &[u8]) -> Result<Body<'a>, Error> {
        let id_bytes = self.format.table_id_bytes(EventType::TABLE_MAP);
        let mut cursor = Cursor::new(body);
        let at = |error| locate(header, HEADER_BYTES, error);
        let table_id = read_table_id(&mut cursor, id_bytes).map_err(at)?;
        let flags = cursor.u16("the flags of a table map").map_err(at)?;
        let described = cursor.rest();
        let is_known = self
            .tables
            .get(&table_id)
            .is_some_and(|(table, bytes)| table.flags == flags && bytes.as_ref() == described);
        if !is_known {
            let table = TableMap::parse(body, id_bytes, self.format.flavor)
                .map_err(|(error, offset)| locate(header, HEADER_BYTES + offset, error))?;
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
            .map_err(|error| locate(header, HEADER_BYTES + cursor.offset(), error))
    }

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
        // A server that filters all rows of a statement away still sends its end, under an id that no table has.
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
            // The length byte in front is of no use: statements are longer than it can say.
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
    let is_full = (0..columns).all(|column| crate::table::bit(bitmap, column));
    Ok(if is_full { None } else { Some(bitmap) })
}

fn read_format(header: &EventHeader, event: &[u8]) -> Result<FormatDescription, Error> {
    let body = event.get(HEADER_BYTES..).unwrap_or_default();
    // Whether there is a checksum depends on the version inside: bytes 2 to 52 of the body.
    let version = body.get(2..52).unwrap_or_default();
    let version = String::from_utf8_lossy(version.split(|byte| *byte == 0).next().unwrap_or_default());
    let (body, stored) = match body.split_last_chunk::<CHECKSUM_BYTES>() {
        Some((body, stored)) if crate::event::has_checksum(&version) => (body, Some(u32::from_le_bytes(*stored))),
        _ => (body, None),
    };
    let mut cursor = Cursor::new(body);
    let format =
        FormatDescription::read(&mut cursor).map_err(|error| locate(header, HEADER_BYTES + cursor.offset(), error))?;
    if let (Some(stored), ChecksumAlgorithm::Crc32) = (stored, format.checksum) {
        // The checksum is of the event as it was written, before the flag "in use" was set in the open file.
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(event.get(..17).unwrap_or_default());
        let flags = header.flags & !EventHeader::FLAG_IN_USE;
        hasher.update(&flags.to_le_bytes());
        hasher.update(body);
        compare(header, event, hasher.finalize(), stored)?;
    }
    Ok(format)
}

/// Verifies the checksum, if there is one, and returns the body.
fn verify<'a>(header: &EventHeader, event: &'a [u8], checksum: ChecksumAlgorithm) -> Result<&'a [u8], Error> {
    let body = event.get(HEADER_BYTES..).unwrap_or_default();
    if checksum == ChecksumAlgorithm::None {
        return Ok(body);
    }
    let Some((body, stored)) = body.split_last_chunk::<CHECKSUM_BYTES>() else {
        let fault =
            Error::Truncated { what: "the checksum of an event", needed: CHECKSUM_BYTES, available: body.len() };
        return Err(locate(header, HEADER_BYTES, fault));
    };
    let covered = event.get(..event.len() - CHECKSUM_BYTES).unwrap_or_default();
    compare(header, event, crc32fast::hash(covered), u32::from_le_bytes(*stored))?;
    Ok(body)
}

/// The rotate that the dump thread makes up at a file's start may carry a checksum when none is expected yet (it follows the file that
/// it names); a CRC that fits is no accident.
fn strip_if_present<'a>(header: &EventHeader, event: &'a [u8], checksum: ChecksumAlgorithm) -> Result<&'a [u8], Error> {
    match verify(header, event, ChecksumAlgorithm::Crc32) {
        Err(_) if checksum == ChecksumAlgorithm::None => verify(header, event, ChecksumAlgorithm::None),
        result => result,
    }
}

fn compare(header: &EventHeader, event: &[u8], computed: u32, stored: u32) -> Result<(), Error> {
    if computed == stored {
        return Ok(());
    }
    Err(locate(header, event.len().saturating_sub(CHECKSUM_BYTES), Error::Checksum { computed, stored }))
}

#[cold]
pub(crate) fn locate(header: &EventHeader, offset: usize, source: Error) -> Error {
    Error::Event { kind: header.kind, next_position: header.next_position, offset, source: Box::new(source) }
}
