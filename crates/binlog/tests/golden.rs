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

/// Decodes a whole log and compares its census with the expected one.
fn check(name: &str, events_expected: &[(&str, u32)], rows_expected: &[(&str, u32)]) {
    let file = golden(name);
    let mut decoder = Decoder::new();
    let mut census = Census::default();
    for (at, event) in events(&file) {
        let event = decoder.decode(event).unwrap_or_else(|error| panic!("{at}: {error}"));
        census.take(event).unwrap_or_else(|error| panic!("{at}: {error}"));
    }
    let events: Vec<(&str, u32)> = census.events.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    let rows: Vec<(&str, u32)> = census.rows.iter().map(|(kind, count)| (*kind, *count)).collect();
    assert_eq!(events, events_expected, "{name}");
    assert_eq!(rows, rows_expected, "{name}");
}

#[test]
fn mysql_log_decodes_whole() {
    check(
        "mysql-9.7.4/binlog.000001",
        &[
            ("15 Format_desc", 1),
            ("16 Xid", 339),
            ("19 Table_map", 356),
            ("2 Query", 439),
            ("29 Rows_query", 351),
            ("30 Write_rows", 296),
            ("31 Update_rows", 51),
            ("32 Delete_rows", 29),
            ("33 Gtid", 428),
            ("35 Previous_gtids", 1),
            ("38 XA_prepare", 3),
            ("4 Rotate", 1),
            ("40 Transaction_payload", 1),
            ("42 Gtid_tagged", 1),
            ("inner 16 Xid", 1),
            ("inner 19 Table_map", 3),
            ("inner 2 Query", 1),
            ("inner 29 Rows_query", 3),
            ("inner 30 Write_rows", 1),
            ("inner 31 Update_rows", 1),
            ("inner 32 Delete_rows", 1),
        ],
        &[("delete", 153), ("insert", 5352), ("update", 562)],
    );
    check("mysql-9.7.4/binlog.000002", &[("15 Format_desc", 1), ("35 Previous_gtids", 1)], &[]);
}

#[test]
fn mariadb_log_decodes_whole() {
    check(
        "mariadb-10.11.18/binlog.000001",
        &[
            ("15 Format_desc", 1),
            ("16 Xid", 306),
            ("160 Annotate_rows", 319),
            ("161 Binlog_checkpoint", 1),
            ("162 Gtid", 389),
            ("163 Gtid_list", 1),
            ("19 Table_map", 324),
            ("2 Query", 86),
            ("23 Write_rows_v1", 267),
            ("24 Update_rows_v1", 45),
            ("25 Delete_rows_v1", 26),
            ("38 XA_prepare", 2),
            ("4 Rotate", 1),
        ],
        &[("delete", 145), ("insert", 5320), ("update", 553)],
    );
    check(
        "mariadb-10.11.18/binlog.000002",
        &[("15 Format_desc", 1), ("161 Binlog_checkpoint", 2), ("163 Gtid_list", 1)],
        &[],
    );
}
