//! The `source` block of an event: where in the log it comes from.
//!
//! Only `row` differs between the rows of an event, so `SourceCache` keeps the text before and behind it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::event_context::{EventContext, SnapshotMark};
use crate::json::{write_integer, write_string, write_unsigned};
use crate::landmark::{self, Landmarks};
use crate::options::{Connector, DebeziumForm};
use crate::schema::{DefaultValue, Field, Kind, Schema};

/// How precise `ts_ms` is in the 1.9 form; the 3.6 form always prints all digits that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Rows of the stream: the second of the statement. Snapshots are stamped with the clock.
    Second,
    /// Statements: the clock.
    Millisecond,
}

/// The block of one table with everything that does not change already written.
#[derive(Debug, Clone)]
pub struct SourceBlock {
    /// Identity of the block, by which the cache knows whose text it holds.
    id: u64,
    form: DebeziumForm,
    precision: Precision,
    /// `{"version":…,"connector":…,"name":…,"ts_ms":`
    head: Vec<u8>,
    /// `,"db":…,"sequence":null` of the table's database.
    database: Vec<u8>,
    /// `,"table":…,"server_id":`
    table: Vec<u8>,
}

impl SourceBlock {
    /// Prepares the block of a table; `table` is `None` for a statement that names none.
    pub fn new(
        connector: Connector,
        form: DebeziumForm,
        name: &str,
        database: &str,
        table: Option<&str>,
        precision: Precision,
    ) -> Self {
        let mut head = b"{\"version\":".to_vec();
        write_string(form.version(), &mut head);
        head.extend_from_slice(b",\"connector\":");
        write_string(connector.name(), &mut head);
        head.extend_from_slice(b",\"name\":");
        write_string(name, &mut head);
        head.extend_from_slice(b",\"ts_ms\":");
        let mut db = b",\"db\":".to_vec();
        write_string(database, &mut db);
        db.extend_from_slice(b",\"sequence\":null");
        let mut block_table = b",\"table\":".to_vec();
        match table {
            Some(table) => write_string(table, &mut block_table),
            None => block_table.extend_from_slice(b"null"),
        }
        block_table.extend_from_slice(b",\"server_id\":");
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        SourceBlock { id, form, precision, head, database: db, table: block_table }
    }

    /// Appends the block of an event.
    pub fn write(&self, context: &EventContext<'_>, out: &mut Vec<u8>) {
        self.write_head(context, &mut Landmarks::default(), out);
        write_unsigned(u64::from(context.row), out);
        write_tail(context, &mut Landmarks::default(), out);
    }

    /// Appends the block of a row's event, most of it from the cache.
    pub(crate) fn write_cached(
        &self,
        context: &EventContext<'_>,
        cache: &mut SourceCache,
        landmarks: &mut Landmarks,
        out: &mut Vec<u8>,
    ) {
        // The previous block was of the same log event, so the text repeats as a whole: one landmark is enough for it.
        let repeats = cache.holds(self.id, context);
        if !repeats {
            cache.fill(self, context);
        }
        let mut mark = |parts: &Landmarks, name: u16, at: usize| {
            if repeats { landmarks.mark(name, at) } else { landmarks.copy(parts, at) }
        };
        mark(&cache.head_landmarks, landmark::SOURCE, out.len());
        out.extend_from_slice(&cache.head);
        write_unsigned(u64::from(context.row), out);
        mark(&cache.tail_landmarks, landmark::SOURCE_THREAD, out.len());
        out.extend_from_slice(&cache.tail);
    }

    /// Writes everything before the number of the row.
    fn write_head(&self, context: &EventContext<'_>, landmarks: &mut Landmarks, out: &mut Vec<u8>) {
        let timestamp_us = context.source_timestamp_us;
        landmarks.mark(landmark::SOURCE, out.len());
        out.extend_from_slice(&self.head);
        let timestamp_ms = match (self.form, self.precision) {
            (DebeziumForm::V1_9, Precision::Second) if context.snapshot == SnapshotMark::False => {
                timestamp_us.div_euclid(1_000_000) * 1_000
            }
            _ => timestamp_us.div_euclid(1_000),
        };
        write_integer(timestamp_ms, out);
        landmarks.mark(landmark::SOURCE_SNAPSHOT, out.len());
        out.extend_from_slice(match (context.snapshot, self.form) {
            (SnapshotMark::False, _) => b",\"snapshot\":\"false\"",
            (SnapshotMark::Last, _) => b",\"snapshot\":\"last\"",
            (SnapshotMark::True, _) | (_, DebeziumForm::V1_9) => b",\"snapshot\":\"true\"",
            (SnapshotMark::First, _) => b",\"snapshot\":\"first\"",
            (SnapshotMark::FirstInDataCollection, _) => b",\"snapshot\":\"first_in_data_collection\"",
            (SnapshotMark::LastInDataCollection, _) => b",\"snapshot\":\"last_in_data_collection\"",
        });
        out.extend_from_slice(&self.database);
        if self.form == DebeziumForm::V3_6 {
            out.extend_from_slice(b",\"ts_us\":");
            write_integer(timestamp_us, out);
            landmarks.mark(landmark::SOURCE_NANOSECONDS, out.len());
            out.extend_from_slice(b",\"ts_ns\":");
            write_integer(timestamp_us, out);
            out.extend_from_slice(b"000");
        }
        landmarks.mark(landmark::SOURCE_TABLE, out.len());
        out.extend_from_slice(&self.table);
        write_unsigned(u64::from(context.server_id), out);
        landmarks.mark(landmark::SOURCE_GTID, out.len());
        out.extend_from_slice(b",\"gtid\":");
        optional_string(context.gtid, out);
        landmarks.mark(landmark::SOURCE_FILE, out.len());
        out.extend_from_slice(b",\"file\":");
        write_string(context.file, out);
        landmarks.mark(landmark::SOURCE_POSITION, out.len());
        out.extend_from_slice(b",\"pos\":");
        write_unsigned(context.position, out);
        landmarks.mark(landmark::SOURCE_ROW, out.len());
        out.extend_from_slice(b",\"row\":");
    }

    /// Returns the schema of the block.
    pub fn schema(connector: Connector, form: DebeziumForm) -> Schema {
        let text = || Schema::new(Kind::String);
        let long = || Schema::new(Kind::Int64);
        let allowed = match form {
            DebeziumForm::V1_9 => "true,last,false,incremental",
            DebeziumForm::V3_6 => "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental",
        };
        let snapshot = text()
            .logical("io.debezium.data.Enum")
            .parameter("allowed", allowed)
            .default_value(DefaultValue::plain("false"))
            .optional();
        let mut fields: Vec<Field> = vec![
            text().field("version"),
            text().field("connector"),
            text().field("name"),
            long().field("ts_ms"),
            snapshot.field("snapshot"),
            text().field("db"),
            text().optional().field("sequence"),
        ];
        if form == DebeziumForm::V3_6 {
            fields.push(long().optional().field("ts_us"));
            fields.push(long().optional().field("ts_ns"));
        }
        fields.extend([
            text().optional().field("table"),
            long().field("server_id"),
            text().optional().field("gtid"),
            text().field("file"),
            long().field("pos"),
            Schema::new(Kind::Int32).field("row"),
            long().optional().field("thread"),
            text().optional().field("query"),
        ]);
        let schema = Schema::record(format!("{}.Source", connector.package()), fields);
        match form {
            DebeziumForm::V1_9 => schema,
            DebeziumForm::V3_6 => schema.version(1),
        }
    }
}

/// The written parts of the block that was written last, with what they were written from.
#[derive(Debug, Default)]
pub(crate) struct SourceCache {
    /// Identity of the block; 0 while nothing is kept.
    block: u64,
    file: String,
    gtid: KeptText,
    query: KeptText,
    position: u64,
    server_id: u32,
    thread: Option<u64>,
    source_timestamp_us: i64,
    snapshot: Option<SnapshotMark>,
    head: Vec<u8>,
    head_landmarks: Landmarks,
    tail: Vec<u8>,
    tail_landmarks: Landmarks,
}

impl SourceCache {
    fn holds(&self, block: u64, context: &EventContext<'_>) -> bool {
        self.block == block
            && self.position == context.position
            && self.server_id == context.server_id
            && self.thread == context.thread
            && self.source_timestamp_us == context.source_timestamp_us
            && self.snapshot == Some(context.snapshot)
            && self.file == context.file
            && self.gtid.get() == context.gtid
            && self.query.get() == context.query
    }

    fn fill(&mut self, block: &SourceBlock, context: &EventContext<'_>) {
        self.block = block.id;
        self.file.clear();
        self.file.push_str(context.file);
        self.gtid.set(context.gtid);
        self.query.set(context.query);
        self.position = context.position;
        self.server_id = context.server_id;
        self.thread = context.thread;
        self.source_timestamp_us = context.source_timestamp_us;
        self.snapshot = Some(context.snapshot);
        self.head.clear();
        self.head_landmarks.clear();
        block.write_head(context, &mut self.head_landmarks, &mut self.head);
        self.tail.clear();
        self.tail_landmarks.clear();
        write_tail(context, &mut self.tail_landmarks, &mut self.tail);
    }
}

/// An optional text whose allocation is reused.
#[derive(Debug, Default)]
struct KeptText {
    is_present: bool,
    text: String,
}

impl KeptText {
    fn get(&self) -> Option<&str> {
        self.is_present.then_some(&self.text)
    }

    fn set(&mut self, text: Option<&str>) {
        self.is_present = text.is_some();
        self.text.clear();
        self.text.push_str(text.unwrap_or_default());
    }
}

/// Writes everything behind the number of the row.
fn write_tail(context: &EventContext<'_>, landmarks: &mut Landmarks, out: &mut Vec<u8>) {
    landmarks.mark(landmark::SOURCE_THREAD, out.len());
    out.extend_from_slice(b",\"thread\":");
    match context.thread {
        Some(thread) => write_unsigned(thread, out),
        None => out.extend_from_slice(b"null"),
    }
    landmarks.mark(landmark::SOURCE_QUERY, out.len());
    out.extend_from_slice(b",\"query\":");
    optional_string(context.query, out);
    out.push(b'}');
}

fn optional_string(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_string(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tables' blocks in turn, and contexts that differ in one field each: the cache must notice every change.
    #[test]
    fn the_cache_never_prints_an_older_place() {
        let base = EventContext {
            file: "binlog.000001",
            position: 4,
            row: 0,
            server_id: 1,
            gtid: None,
            thread: None,
            query: None,
            source_timestamp_us: 1_700_000_000_123_456,
            now_us: 0,
            snapshot: SnapshotMark::False,
        };
        let contexts = [
            base,
            EventContext { row: 1, ..base },
            EventContext { file: "binlog.000002", ..base },
            EventContext { position: 5, ..base },
            EventContext { server_id: 2, ..base },
            EventContext { gtid: Some(""), ..base },
            EventContext { gtid: Some("0-1-7"), ..base },
            EventContext { thread: Some(0), ..base },
            EventContext { query: Some("DELETE FROM t"), ..base },
            EventContext { source_timestamp_us: -1, ..base },
            EventContext { snapshot: SnapshotMark::Last, ..base },
        ];
        let block =
            |table: &str, form| SourceBlock::new(Connector::Mysql, form, "srv", "db", Some(table), Precision::Second);
        let blocks = [block("t", DebeziumForm::V3_6), block("u", DebeziumForm::V3_6), block("t", DebeziumForm::V1_9)];
        let mut cache = SourceCache::default();
        for one in &contexts {
            for other in &contexts {
                for (block, context) in blocks.iter().flat_map(|block| [(block, one), (block, other)]) {
                    let (mut plain, mut cached) = (Vec::new(), Vec::new());
                    block.write(context, &mut plain);
                    block.write_cached(context, &mut cache, &mut Landmarks::default(), &mut cached);
                    assert_eq!(cached, plain, "{context:?}");
                }
            }
        }
    }
}
