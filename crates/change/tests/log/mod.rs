//! The golden logs of the binlog crate, replayed through plans: one per version of a table.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, HashMap};

use bitacora_binlog::{Body, Decoder, RowScratch, RowsEvent, RowsKind};
use bitacora_change::{
    ColumnDefault, ColumnDescription, ColumnRules, Connector, DebeziumForm, EventContext, MessageBuffer,
    NullWithDefault, Operation, Plan, PlanOptions, SnapshotMark, TableDescription, Tombstones, ValueFormat,
};
use bitacora_testkit::recorded_log;
use serde_json::Value;

/// The options of a recording's default configuration, with the topic prefix `srv`.
pub(crate) fn options(connector: Connector, form: DebeziumForm, value_format: ValueFormat) -> PlanOptions {
    PlanOptions {
        connector,
        form,
        topic_prefix: "srv".into(),
        value_format,
        tombstones: Tombstones::Emit,
        null_with_default: NullWithDefault::Replace,
        columns: ColumnRules::default(),
        topic_collision: bitacora_change::TopicCollision::Stop,
    }
}

/// Plans by the version of their table.
pub(crate) type Plans = HashMap<u64, Plan>;

/// Passes every rows event of a log, those of compressed transactions too, to `take`.
pub(crate) fn rows_events(file: &[u8], mut take: impl FnMut(u64, &RowsEvent<'_>)) {
    let mut decoder = Decoder::new();
    for (at, event) in recorded_log::events(file) {
        let mut event = decoder.decode(event).unwrap();
        if let Body::TransactionPayload(payload) = &mut event.body {
            while let Some(inner) = payload.next_event().unwrap() {
                if let Body::Rows(rows) = &inner.body {
                    take(at as u64, rows);
                }
            }
        } else if let Body::Rows(rows) = &event.body {
            take(at as u64, rows);
        }
    }
}

/// Encodes every row of a rows event into a cleared buffer and hands the buffer to `take`.
pub(crate) fn encode_rows(
    plan: &Plan,
    rows: &RowsEvent<'_>,
    scratch: &mut RowScratch,
    buffer: &mut MessageBuffer,
    mut take: impl FnMut(&MessageBuffer),
) {
    let operation = match rows.kind {
        RowsKind::Insert => Operation::Create,
        RowsKind::Update => Operation::Update,
        RowsKind::Delete => Operation::Delete,
    };
    let mut reader = rows.reader(scratch);
    while let Some(row) = reader.next_row().unwrap() {
        let context = EventContext { row: row.index, ..context() };
        buffer.clear();
        plan.encode(&row, operation, &context, buffer).unwrap();
        take(buffer);
    }
}

/// An event context with every field set.
pub(crate) fn context() -> EventContext<'static> {
    EventContext {
        file: "binlog.000001",
        position: 4_711,
        row: 0,
        server_id: 1,
        gtid: Some("3e11fa47-71ca-11e1-9e33-c80aa9429562:23"),
        thread: Some(7),
        query: Some("INSERT INTO t VALUES ('\"é😀')"),
        source_timestamp_us: 1_700_000_000_123_456,
        now_us: 1_700_000_000_234_567,
        snapshot: SnapshotMark::False,
    }
}

/// Compiles a plan without a description, once for each version of a table.
pub(crate) fn plan<'p>(plans: &'p mut Plans, rows: &RowsEvent<'_>, options: &PlanOptions) -> &'p Plan {
    plans.entry(rows.table.fingerprint).or_insert_with(|| Plan::compile(rows.table, None, options).unwrap())
}

/// Descriptions of tables by the position of the statement that Debezium recorded them for.
pub(crate) type Descriptions = BTreeMap<u64, Vec<TableDescription>>;

/// Adds what a record of a statement says of tables; gives false for any other record.
pub(crate) fn keep_descriptions(value: &Value, descriptions: &mut Descriptions) -> bool {
    if value.get("ddl").is_none() {
        return false;
    }
    let position = if value["source"]["snapshot"] == "true" { 0 } else { value["source"]["pos"].as_u64().unwrap() };
    let changes = value["tableChanges"].as_array().unwrap();
    descriptions.entry(position).or_default().extend(changes.iter().filter_map(describe));
    true
}

/// The description of a table that was the newest at a position.
pub(crate) fn description_at<'d>(
    descriptions: &'d Descriptions,
    rows: &RowsEvent<'_>,
    position: u64,
) -> Option<&'d TableDescription> {
    let newest = descriptions.range(..=position).rev().flat_map(|(_, tables)| tables.iter().rev());
    newest.into_iter().find(|table| table.database == rows.table.database && table.table == rows.table.table)
}

/// A description from what Debezium recorded of a table.
pub(crate) fn describe(change: &Value) -> Option<TableDescription> {
    let (database, table) = change["id"].as_str()?.trim_matches('"').split_once("\".\"")?;
    let described = change["table"].as_object()?;
    let columns = described["columns"].as_array()?.iter().map(|column| {
        let text = |name: &str| column[name].as_str().map(str::to_owned);
        let number = |name: &str| column[name].as_u64().and_then(|number| u32::try_from(number).ok());
        ColumnDescription {
            name: text("name").unwrap(),
            type_name: text("typeName").unwrap(),
            length: number("length"),
            scale: number("scale"),
            charset: text("charsetName"),
            is_nullable: column["optional"].as_bool().unwrap(),
            default: text("defaultValueExpression").map_or(ColumnDefault::Absent, |text| {
                if text.to_uppercase().starts_with("CURRENT_TIMESTAMP") {
                    ColumnDefault::Expression(text)
                } else if column["typeName"] == "BIT" {
                    // Debezium records the bare digits of a bit literal.
                    ColumnDefault::Literal(format!("b'{text}'"))
                } else {
                    ColumnDefault::Literal(text)
                }
            }),
            comment: text("comment"),
            ..ColumnDescription::default()
        }
    });
    Some(TableDescription {
        database: database.to_owned(),
        table: table.to_owned(),
        columns: columns.collect(),
        primary_key: described["primaryKeyColumnNames"]
            .as_array()?
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        ..TableDescription::default()
    })
}
