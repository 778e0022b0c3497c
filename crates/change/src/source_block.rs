//! The `source` block of an event: where in the log it comes from.

use crate::json::{write_integer, write_string, write_unsigned};
use crate::message::{EventContext, SnapshotMark};
use crate::options::{Connector, DebeziumForm};
use crate::schema::{DefaultValue, Field, Kind, Schema};

/// How exactly `ts_ms` is known in the 1.9 line; the 3.6 line always gives what it has.
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
        SourceBlock { form, precision, head, database: db, table: block_table }
    }

    /// Appends the block of an event.
    pub fn write(&self, context: &EventContext<'_>, out: &mut Vec<u8>) {
        let timestamp_us = context.source_timestamp_us;
        out.extend_from_slice(&self.head);
        let timestamp_ms = match (self.form, self.precision) {
            (DebeziumForm::V1_9, Precision::Second) if context.snapshot == SnapshotMark::False => {
                timestamp_us.div_euclid(1_000_000) * 1_000
            }
            _ => timestamp_us.div_euclid(1_000),
        };
        write_integer(timestamp_ms, out);
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
            out.extend_from_slice(b",\"ts_ns\":");
            write_integer(timestamp_us, out);
            out.extend_from_slice(b"000");
        }
        out.extend_from_slice(&self.table);
        write_unsigned(u64::from(context.server_id), out);
        out.extend_from_slice(b",\"gtid\":");
        optional_string(context.gtid, out);
        out.extend_from_slice(b",\"file\":");
        write_string(context.file, out);
        out.extend_from_slice(b",\"pos\":");
        write_unsigned(context.position, out);
        out.extend_from_slice(b",\"row\":");
        write_unsigned(u64::from(context.row), out);
        out.extend_from_slice(b",\"thread\":");
        match context.thread {
            Some(thread) => write_unsigned(thread, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"query\":");
        optional_string(context.query, out);
        out.push(b'}');
    }

    /// Schema of the block.
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

fn optional_string(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_string(text, out),
        None => out.extend_from_slice(b"null"),
    }
}
