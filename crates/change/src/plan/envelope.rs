//! The envelope around the images: source, operation, clocks.

use bitacora_binlog::TableMap;

use crate::event_context::EventContext;
use crate::json::write_integer;
use crate::landmark;
use crate::options::{DebeziumForm, PlanOptions};
use crate::schema::{Kind, Schema};
use crate::scratch::Scratch;
use crate::source_block::{Precision, SourceBlock};

/// What an envelope prints behind its images.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    form: DebeziumForm,
    source: SourceBlock,
}

impl Envelope {
    pub(super) fn new(table: &TableMap, options: &PlanOptions) -> Self {
        let source = SourceBlock::new(
            options.connector,
            options.form,
            &options.topic_prefix,
            &table.database,
            Some(&table.table),
            Precision::Second,
        );
        Envelope { form: options.form, source }
    }

    /// Returns the form of the events.
    pub(super) fn form(&self) -> DebeziumForm {
        self.form
    }

    /// Appends everything from `,"source"` to the closing brace.
    pub(super) fn write_tail(
        &self,
        operation: &str,
        context: &EventContext<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b",\"source\":");
        let Scratch { landmarks, source: cache, .. } = scratch;
        self.source.write_cached(context, cache, landmarks, out);
        landmarks.mark(landmark::OPERATION, out.len());
        match self.form {
            DebeziumForm::V1_9 => {
                out.extend_from_slice(b",\"op\":\"");
                out.extend_from_slice(operation.as_bytes());
                out.extend_from_slice(b"\",\"ts_ms\":");
                write_integer(context.now_us.div_euclid(1_000), out);
                landmarks.mark(landmark::END, out.len());
                out.extend_from_slice(b",\"transaction\":null}");
            }
            DebeziumForm::V3_6 => {
                out.extend_from_slice(b",\"transaction\":null,\"op\":\"");
                out.extend_from_slice(operation.as_bytes());
                out.extend_from_slice(b"\",\"ts_ms\":");
                let mut buffer = itoa::Buffer::new();
                let microseconds = buffer.format(context.now_us).as_bytes();
                // The milliseconds are the first digits of the microseconds, except for times near or before 1970.
                match microseconds.split_last_chunk::<3>() {
                    Some((milliseconds, _)) if context.now_us >= 1_000 => out.extend_from_slice(milliseconds),
                    _ => write_integer(context.now_us.div_euclid(1_000), out),
                }
                landmarks.mark(landmark::MICROSECONDS, out.len());
                out.extend_from_slice(b",\"ts_us\":");
                out.extend_from_slice(microseconds);
                landmarks.mark(landmark::NANOSECONDS, out.len());
                out.extend_from_slice(b",\"ts_ns\":");
                out.extend_from_slice(microseconds);
                landmarks.mark(landmark::END, out.len());
                out.extend_from_slice(b"000}");
            }
        }
    }
}

/// Returns the schema of the whole envelope.
pub(super) fn schema(name: String, row: Schema, options: &PlanOptions) -> Schema {
    let long = || Schema::new(Kind::Int64).optional();
    let source = SourceBlock::schema(options.connector, options.form).field("source");
    let transaction_fields = vec![
        Schema::new(Kind::String).field("id"),
        Schema::new(Kind::Int64).field("total_order"),
        Schema::new(Kind::Int64).field("data_collection_order"),
    ];
    let images = [row.clone().optional().field("before"), row.optional().field("after")];
    let operation = Schema::new(Kind::String).field("op");
    match options.form {
        DebeziumForm::V1_9 => {
            let transaction = Schema::new(Kind::Struct(transaction_fields)).optional().field("transaction");
            let mut fields = images.to_vec();
            fields.extend([source, operation, long().field("ts_ms"), transaction]);
            Schema::record(name, fields)
        }
        DebeziumForm::V3_6 => {
            let transaction =
                Schema::record("event.block", transaction_fields).version(1).optional().field("transaction");
            let mut fields = images.to_vec();
            fields.extend([source, transaction, operation]);
            fields.extend(["ts_ms", "ts_us", "ts_ns"].map(|clock| long().field(clock)));
            Schema::record(name, fields).version(2)
        }
    }
}
