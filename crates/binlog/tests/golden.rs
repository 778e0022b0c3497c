//! Whole log files of both servers: every event decodes, every checksum holds, every row is walked to its exact end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use bitacora_binlog::{Body, Cell, Decoder, Error, Event, Row, RowScratch};
use log::{events, golden};
use std::collections::BTreeMap;

#[derive(Default)]
struct Census {
    events: BTreeMap<String, u32>,
    rows: BTreeMap<&'static str, u32>,
}

impl Census {
    fn take(&mut self, event: Event<'_>) -> Result<(), Error> {
        let inner = if event.header.next_position == 0 { "inner " } else { "" };
        *self.events.entry(format!("{inner}{} {}", event.header.kind.0, event.header.kind)).or_default() += 1;
        match event.body {
            Body::Rows(rows) => {
                let mut scratch = RowScratch::new();
                let mut reader = rows.reader(&mut scratch);
                while let Some(row) = reader.next_row()? {
                    self.row(&row, rows.table.columns.len());
                }
            }
            Body::TransactionPayload(mut payload) => {
                while let Some(event) = payload.next_event()? {
                    self.take(event)?;
                }
            }
            Body::Unknown(_) => panic!("unknown event"),
            _ => {}
        }
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, columns: usize) {
        let kind = match (row.before, row.after) {
            (None, Some(_)) => "insert",
            (Some(_), Some(_)) => "update",
            (Some(_), None) => "delete",
            (None, None) => panic!("a row without image"),
        };
        *self.rows.entry(kind).or_default() += 1;
        for image in row.before.iter().chain(&row.after) {
            for column in 0..columns {
                assert_ne!(image.column(column), Cell::Absent);
            }
        }
    }
}

#[test]
fn dump() {
    for name in [
        "mysql-9.7.4/binlog.000001",
        "mariadb-10.11.18/binlog.000001",
        "mysql-9.7.4/binlog.000002",
        "mariadb-10.11.18/binlog.000002",
    ] {
        let file = golden(name);
        let mut decoder = Decoder::new();
        let mut census = Census::default();
        for (at, event) in events(&file) {
            let event = decoder.decode(event).unwrap_or_else(|e| panic!("{at}: {e}"));
            match &event.body {
                Body::Gtid(g) if !g.tag.is_empty() => println!("{g:?}"),
                Body::PreviousGtids(g) => println!("{}", g.set().unwrap()),
                Body::GtidList(g) => println!("{}", g.set()),
                _ => {}
            }
            census.take(event).unwrap_or_else(|e| panic!("{at}: {e}"));
        }
        println!("{name} {:#?} {:?}", census.events, census.rows);
    }
}
