//! Decodes and encodes every row of a raw binlog file on one core, and prints how fast.
//!
//! `cargo run --release -p bitacora-change --example decode_encode -- BINLOG_FILE [PASSES] [1.9|3.6]`
//!
//! Without a form both are measured. A pass goes through the whole file: event framing, checksum, rows, key and
//! envelope; the fastest pass counts. The line is made of `name=value` words, for people and for `bench/run.py`.
#![allow(clippy::print_stdout, reason = "the figures are the program's result")]

use std::collections::HashMap;
use std::error::Error;
use std::time::Instant;

use bitacora_binlog::{Body, Decoder, Event, RowScratch, RowsEvent, RowsKind};
use bitacora_change::{
    ColumnRules, Connector, DebeziumForm, EventContext, MessageBuffer, NullWithDefault, Operation, Plan, PlanOptions,
    SnapshotMark, Tombstones, ValueFormat,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: decode_encode BINLOG_FILE [PASSES] [1.9|3.6]")?;
    let passes = arguments.next().map_or(Ok(3), |passes| passes.parse::<u32>())?;
    let forms = match arguments.next().as_deref() {
        None => vec![DebeziumForm::V1_9, DebeziumForm::V3_6],
        Some("1.9") => vec![DebeziumForm::V1_9],
        Some("3.6") => vec![DebeziumForm::V3_6],
        Some(other) => return Err(format!("{other} is no form; 1.9 and 3.6 are").into()),
    };
    let file = std::fs::read(path)?;
    for form in forms {
        let mut best: Option<(f64, Totals)> = None;
        for _ in 0..passes.max(1) {
            let start = Instant::now();
            let totals = Pass::new(form).run(&file)?;
            let seconds = start.elapsed().as_secs_f64();
            if best.as_ref().is_none_or(|(fastest, _)| seconds < *fastest) {
                best = Some((seconds, totals));
            }
        }
        if let Some((seconds, totals)) = best {
            println!(
                "form={} rows={} messages={} rows_per_s={:.0} mb_in_per_s={:.1} mb_out_per_s={:.1}",
                form.version(),
                totals.rows,
                totals.messages,
                totals.rows as f64 / seconds,
                file.len() as f64 / seconds / 1e6,
                totals.bytes_out as f64 / seconds / 1e6,
            );
        }
    }
    Ok(())
}

#[derive(Default)]
struct Totals {
    rows: u64,
    messages: usize,
    bytes_out: usize,
}

struct Pass {
    options: PlanOptions,
    plans: HashMap<u64, Plan>,
    scratch: RowScratch,
    buffer: MessageBuffer,
    gtid: String,
    thread: Option<u64>,
    totals: Totals,
}

impl Pass {
    fn new(form: DebeziumForm) -> Self {
        let options = PlanOptions {
            connector: Connector::Mysql,
            form,
            topic_prefix: "srv".into(),
            value_format: ValueFormat::Json,
            tombstones: Tombstones::Emit,
            null_with_default: NullWithDefault::Replace,
            columns: ColumnRules::default(),
            topic_collision: bitacora_change::TopicCollision::Stop,
        };
        Pass {
            options,
            plans: HashMap::new(),
            scratch: RowScratch::new(),
            buffer: MessageBuffer::default(),
            gtid: String::new(),
            thread: None,
            totals: Totals::default(),
        }
    }

    fn run(mut self, file: &[u8]) -> Result<Totals, Box<dyn Error>> {
        let mut rest = file.strip_prefix(b"\xfebin").ok_or("the file is no binlog")?;
        let mut position = 4;
        let mut decoder = Decoder::new();
        // The length of an event stands at byte 9 of its header.
        while let Some(length) = rest.get(9..13).and_then(|bytes| bytes.first_chunk::<4>()) {
            let length = u32::from_le_bytes(*length) as usize;
            let (event, tail) = rest.split_at_checked(length).ok_or("the file ends inside an event")?;
            let mut event = decoder.decode(event)?;
            if let Body::TransactionPayload(payload) = &mut event.body {
                while let Some(inner) = payload.next_event()? {
                    self.event(&inner, position)?;
                }
            } else {
                self.event(&event, position)?;
            }
            position += length as u64;
            rest = tail;
        }
        Ok(self.totals)
    }

    fn event(&mut self, event: &Event<'_>, position: u64) -> Result<(), Box<dyn Error>> {
        match &event.body {
            Body::Gtid(gtid) => self.gtid = format!("{}:{}", gtid.uuid, gtid.gno),
            Body::Query(query) => self.thread = Some(u64::from(query.thread_id)),
            Body::Rows(rows) => self.rows(event, rows, position)?,
            _ => {}
        }
        Ok(())
    }

    fn rows(&mut self, event: &Event<'_>, rows: &RowsEvent<'_>, position: u64) -> Result<(), Box<dyn Error>> {
        let version = rows.table.fingerprint;
        if !self.plans.contains_key(&version) {
            self.plans.insert(version, Plan::compile(rows.table, None, &self.options)?);
        }
        let plan = self.plans.get(&version).ok_or("the plan was just made")?;
        let operation = match rows.kind {
            RowsKind::Insert => Operation::Create,
            RowsKind::Update => Operation::Update,
            RowsKind::Delete => Operation::Delete,
        };
        let mut context = EventContext {
            file: "binlog.000001",
            position,
            row: 0,
            server_id: event.header.server_id,
            gtid: Some(&self.gtid),
            thread: self.thread,
            query: None,
            source_timestamp_us: i64::from(event.header.timestamp) * 1_000_000,
            now_us: i64::from(event.header.timestamp) * 1_000_000 + 1_234,
            snapshot: SnapshotMark::False,
        };
        let mut reader = rows.reader(&mut self.scratch);
        while let Some(row) = reader.next_row()? {
            context.row = row.index;
            self.buffer.clear();
            plan.encode(&row, operation, &context, &mut self.buffer)?;
            self.totals.rows += 1;
            for message in self.buffer.messages() {
                self.totals.messages += 1;
                self.totals.bytes_out += self.buffer.key(message).map_or(0, <[u8]>::len);
                self.totals.bytes_out += self.buffer.value(message).map_or(0, <[u8]>::len);
            }
        }
        Ok(())
    }
}
