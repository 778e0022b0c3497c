//! Recorded events beside the statements that made them: `golden/events/mysql.sql` and `mariadb.sql`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use bitacora_binlog::event::{Gtid, MariadbGtid};
use bitacora_binlog::gtid::Uuid;
use bitacora_binlog::{
    Body, Cell, ColumnType, Decoder, Event, EventType, HEADER_BYTES, Image, RowScratch, RowsEvent, RowsKind, json,
    value,
};
use log::{events, golden};

const MYSQL: &str = "events/mysql-9.7.4";
const MARIADB: &str = "events/mariadb-10.11.18";

/// Shows every event of a log to `see`, those inside compressed transactions too.
fn each(log: &str, mut see: impl FnMut(&Event<'_>)) {
    let file = golden(log);
    let mut decoder = Decoder::new();
    for (_, event) in events(&file) {
        let mut event = decoder.decode(event).unwrap();
        see(&event);
        if let Body::TransactionPayload(payload) = &mut event.body {
            while let Some(event) = payload.next_event().unwrap() {
                see(&event);
            }
        }
    }
}

/// Prints an image: `·` where a column is absent, long values by their length.
fn print(event: &RowsEvent<'_>, image: &Image<'_>) -> String {
    let cells = event.table.columns.iter().enumerate().map(|(index, column)| match image.column(index) {
        Cell::Absent => "·".to_owned(),
        Cell::Null => "NULL".to_owned(),
        Cell::Value(stored) => match column.kind {
            ColumnType::TINY | ColumnType::LONG | ColumnType::LONGLONG if column.unsigned => {
                value::unsigned(stored).unwrap().to_string()
            }
            ColumnType::TINY | ColumnType::LONG | ColumnType::LONGLONG => value::signed(stored).unwrap().to_string(),
            ColumnType::JSON => {
                let mut text = Vec::new();
                json::write_text(stored, json::JsonStyle::Compact, &mut text).unwrap();
                String::from_utf8(text).unwrap()
            }
            ColumnType::ENUM => value::enum_index(stored).unwrap().to_string(),
            ColumnType::VARCHAR | ColumnType::BLOB if stored.len() < 20 => {
                format!("'{}'", std::str::from_utf8(stored).unwrap())
            }
            _ => format!("<{}>", stored.len()),
        },
    });
    cells.collect::<Vec<_>>().join(",")
}

/// All rows of `table`, each with its event's type, and `partial` where the event says so.
fn rows(log: &str, table: &str) -> Vec<String> {
    let (mut lines, mut scratch) = (Vec::new(), RowScratch::new());
    each(log, |event| {
        let Body::Rows(rows) = &event.body else { return };
        if rows.table.table != table {
            return;
        }
        let mut reader = rows.reader(&mut scratch);
        while let Some(row) = reader.next_row().unwrap() {
            assert_eq!(row.before.is_some(), rows.kind != RowsKind::Insert);
            assert_eq!(row.after.is_some(), rows.kind != RowsKind::Delete);
            let images: Vec<String> = row.before.iter().chain(&row.after).map(|image| print(rows, image)).collect();
            let partial = if rows.is_partial() { "partial " } else { "" };
            lines.push(format!("{partial}{} {}", event.header.kind, images.join(" -> ")));
        }
    });
    lines
}

#[test]
fn mysql_images_have_the_columns_that_the_row_image_option_says() {
    assert_eq!(
        rows(MYSQL, "p"),
        [
            "Write_rows 1,'one',{\"k\":[1,2,3],\"s\":\"x\"},'text',NULL,7",
            "Write_rows 2,NULL,[],NULL,5,7",
            "partial Update_rows 1,·,·,·,·,· -> ·,·,·,·,9,·",
            "partial Update_rows 2,·,·,·,·,· -> ·,'two',·,'tt',·,·",
            "partial Write_rows 3,·,·,·,·,·",
            "partial Delete_rows 3,·,·,·,·,·",
            "partial Update_rows 1,'one',{\"k\":[1,2,3],\"s\":\"x\"},·,9,7 -> \
            1,'one',{\"k\":[1,2,3],\"s\":\"x\"},·,10,7",
            "Write_rows 10,NULL,NULL,NULL,NULL,7",
            "Write_rows 11,NULL,NULL,NULL,NULL,7",
            "Write_rows 20,NULL,NULL,<60000>,NULL,7",
            "Update_rows 20,NULL,NULL,<60000>,NULL,7 -> 20,NULL,NULL,<60000>,NULL,7",
            "Delete_rows 20,NULL,NULL,<60000>,NULL,7",
            "Update_rows 1,'one',{\"k\":[7,2,3],\"s\":\"longer?\"},'text',10,7 -> \
            1,'one',{\"k\":[7,2,3],\"s\":\"longer?\"},'text',77,7",
            "Update_rows 1,'one',{\"k\":[7,2,3],\"s\":\"longer?\"},'text',77,7 -> \
            1,'one',{\"k\":[7,2,3],\"s\":\"longer?\"},'text',78,7",
            "Write_rows 40,NULL,NULL,NULL,NULL,7",
            "Write_rows 41,NULL,NULL,NULL,NULL,7",
        ]
    );
}

#[test]
fn mariadb_images_have_the_columns_that_the_row_image_option_says() {
    assert_eq!(
        rows(MARIADB, "p"),
        [
            "Write_rows_v1 1,'one','text',NULL,7,<25>,2",
            "Write_rows_v1 2,NULL,NULL,5,7,NULL,NULL",
            "partial Update_rows_v1 1,·,·,·,·,·,· -> ·,·,·,9,·,·,·",
            "partial Write_rows_v1 3,·,·,·,·,·,·",
            "partial Delete_rows_v1 3,·,·,·,·,·,·",
            "partial Update_rows_v1 1,'one',·,9,7,<25>,2 -> 1,'one',·,10,7,<25>,2",
            "Write_rows_compressed_v1 20,NULL,<60000>,NULL,7,NULL,NULL",
            "Write_rows_compressed_v1 21,NULL,<300>,NULL,7,NULL,NULL",
            "Update_rows_compressed_v1 20,NULL,<60000>,NULL,7,NULL,NULL -> 20,NULL,<60000>,NULL,7,NULL,NULL",
            "Update_rows_compressed_v1 21,NULL,<300>,NULL,7,NULL,NULL -> 21,NULL,<60000>,NULL,7,NULL,NULL",
            "Delete_rows_compressed_v1 20,NULL,<60000>,NULL,7,NULL,NULL",
            "Delete_rows_compressed_v1 21,NULL,<60000>,NULL,7,NULL,NULL",
            "Write_rows_v1 10,NULL,NULL,NULL,7,NULL,NULL",
            "Update_rows_v1 1,'one','text',10,7,<25>,2 -> 1,'one','text',77,7,<25>,2",
            "Update_rows_v1 1,'one','text',77,7,<25>,2 -> 1,'one','text',78,7,<25>,2",
        ]
    );
}

/// The values of column `index` of `table`, after images first.
fn values(log: &str, table: &str, index: usize) -> Vec<Vec<u8>> {
    let (mut values, mut scratch) = (Vec::new(), RowScratch::new());
    each(log, |event| {
        let Body::Rows(rows) = &event.body else { return };
        let mut reader = rows.reader(&mut scratch);
        while let Some(row) = reader.next_row().unwrap() {
            for image in row.after.iter().chain(&row.before).filter(|_| rows.table.table == table) {
                if let Cell::Value(stored) = image.column(index) {
                    values.push(stored.to_vec());
                }
            }
        }
    });
    values
}

#[test]
fn compressed_rows_of_mariadb_inflate_to_the_inserted_bytes() {
    let (abc, xyz, d) = ("abc".repeat(20_000), "xyz".repeat(20_000), "d".repeat(300));
    let expected: Vec<&str> = vec![&abc, &d, &xyz, &abc, &xyz, &d, &xyz, &xyz];
    let long: Vec<Vec<u8>> = values(MARIADB, "p", 2).into_iter().filter(|value| value.len() > 100).collect();
    assert!(long.iter().map(Vec::as_slice).eq(expected.iter().map(|text| text.as_bytes())));
}

#[test]
fn a_compressed_transaction_of_mysql_gives_the_inserted_bytes() {
    let (abc, xyz) = ("abc".repeat(20_000), "xyz".repeat(20_000));
    let expected: Vec<&str> = vec![&abc, &xyz, &abc, &xyz];
    let long: Vec<Vec<u8>> = values(MYSQL, "p", 3).into_iter().filter(|value| value.len() > 100).collect();
    assert!(long.iter().map(Vec::as_slice).eq(expected.iter().map(|text| text.as_bytes())));
}

#[test]
fn a_compressed_statement_of_mariadb_is_the_statement() {
    let mut statements = Vec::new();
    each(MARIADB, |event| {
        if let (EventType::QUERY_COMPRESSED, Body::Query(query)) = (event.header.kind, &event.body) {
            assert_eq!(query.database, b"wide");
            statements.push(String::from_utf8(query.sql.to_vec()).unwrap());
        }
    });
    let sql = std::fs::read_to_string(format!("{}/tests/golden/events/mariadb.sql", env!("CARGO_MANIFEST_DIR")));
    let expected = sql.unwrap().lines().find(|line| line.starts_with("CREATE TABLE commented")).unwrap().to_owned();
    assert_eq!(statements, [expected.trim_end_matches(';')]);
}

/// `binlog_row_value_options=PARTIAL_JSON`: not decoded, but never skipped silently.
#[test]
fn partial_json_updates_are_surfaced_with_their_bytes() {
    let mut seen = Vec::new();
    each(MYSQL, |event| {
        if let Body::PartialUpdateRows { table, flags, data } = event.body {
            assert_eq!(event.header.kind, EventType::PARTIAL_UPDATE_ROWS);
            assert!(!event.header.is_ignorable());
            assert_eq!((table.database.as_str(), table.table.as_str()), ("wide", "p"));
            assert_eq!(flags & RowsEvent::FLAG_STATEMENT_END, RowsEvent::FLAG_STATEMENT_END);
            // Table id and flags in front, the checksum behind.
            assert_eq!(data.len(), event.header.event_bytes as usize - HEADER_BYTES - 8 - 4);
            let has = |path: &str| data.windows(path.len()).any(|window| window == path.as_bytes());
            seen.push((has("$.s"), has("$.k[0]")));
        }
    });
    assert_eq!(seen, [(true, false), (false, true)]);
}

/// The GTIDs of a MySQL log with the type of their event and the bytes from each to the next one.
fn gtids(log: &str, mut see: impl FnMut(EventType, &Gtid<'_>, u64)) {
    let file = golden(log);
    let events = events(&file);
    let starts = |event: &[u8]| matches!(event[4], 33 | 34 | 42 | 4 | 15);
    let mut decoder = Decoder::new();
    for (index, (_, event)) in events.iter().enumerate() {
        if let Body::Gtid(gtid) = decoder.decode(event).unwrap().body {
            let rest = events[index + 1..].iter().take_while(|(_, event)| !starts(event));
            let bytes = event.len() + rest.map(|(_, event)| event.len()).sum::<usize>();
            see(EventType(event[4]), &gtid, bytes as u64);
        }
    }
}

#[test]
fn tagged_anonymous_and_plain_gtids() {
    let (mut plain, mut others, mut owner) = (Vec::new(), Vec::new(), None);
    gtids(MYSQL, |kind, gtid, bytes| {
        assert_eq!(gtid.transaction_bytes, bytes);
        assert_eq!((gtid.immediate_server_version, gtid.original_server_version), (90_704, 90_704));
        assert_eq!(gtid.immediate_commit_timestamp_us, gtid.original_commit_timestamp_us);
        // Between November 2026 and 2036: the unit is right.
        assert!((1_793_500_000_000_000..2_109_000_000_000_000).contains(&gtid.immediate_commit_timestamp_us));
        assert!(gtid.last_committed < gtid.sequence_number);
        match kind {
            EventType::GTID => {
                assert!(gtid.is_named && gtid.tag.is_empty());
                assert_eq!(*owner.get_or_insert(gtid.uuid), gtid.uuid);
                plain.push(gtid.gno);
            }
            _ => others.push((kind, gtid.uuid, gtid.tag.to_owned(), gtid.gno, gtid.is_named)),
        }
    });
    let owner = owner.unwrap();
    assert_ne!(owner, Uuid::default());
    assert_eq!(plain, (plain[0]..plain[0] + 25).collect::<Vec<_>>());
    assert_eq!(
        others,
        [
            (EventType::ANONYMOUS_GTID, Uuid::default(), String::new(), 0, false),
            (EventType::GTID_TAGGED, owner, "alpha".to_owned(), 1, true),
            (EventType::GTID_TAGGED, owner, "beta_2".to_owned(), 1, true),
        ]
    );
}

/// The XA prepares of a log: whether with one phase, and the name.
fn prepares(log: &str) -> Vec<(bool, String)> {
    let mut prepares = Vec::new();
    each(log, |event| {
        if let Body::XaPrepare(prepare) = event.body {
            prepares.push((prepare.one_phase, prepare.xid.to_string()));
        }
    });
    prepares
}

#[test]
fn xa_in_one_phase_and_in_two() {
    let two_phases = (false, "X'67',X'62',7".to_owned());
    assert_eq!(prepares(MYSQL), [two_phases.clone(), (true, "X'6f6e65',X'',1".to_owned())]);
    assert_eq!(prepares(MARIADB), [two_phases]);
}

#[test]
fn mariadb_gtids_say_xa_ddl_and_domain() {
    let mut seen = Vec::new();
    each(MARIADB, |event| {
        if let Body::MariadbGtid(gtid) = event.body {
            assert_eq!((gtid.server_id, gtid.thread_id), (77, None));
            let of_xa = gtid.flags & (MariadbGtid::FLAG_PREPARED_XA | MariadbGtid::FLAG_COMPLETED_XA);
            assert_eq!(gtid.xid.is_some(), of_xa != 0);
            if let Some(xid) = gtid.xid {
                assert_eq!(xid.to_string(), "X'67',X'62',7");
            }
            seen.push((
                gtid.domain,
                gtid.sequence,
                gtid.flags & MariadbGtid::FLAG_DDL != 0,
                of_xa,
                gtid.is_standalone(),
            ));
        }
    });
    let (prepared, completed) = (MariadbGtid::FLAG_PREPARED_XA, MariadbGtid::FLAG_COMPLETED_XA);
    let of_xa: Vec<_> = seen.iter().filter(|row| row.3 != 0).copied().collect();
    let first = seen[0].1;
    assert_eq!(of_xa, [(0, first + 11, false, prepared, false), (0, first + 12, false, completed, true)]);
    let ddl: Vec<u64> = seen.iter().filter(|row| row.2).map(|row| row.1 - first).collect();
    assert_eq!(ddl, [0, 1, 10, 15, 18]);
    let other_domain: Vec<_> = seen.iter().filter(|row| row.0 != 0).map(|row| (row.0, row.1)).collect();
    assert_eq!(other_domain, [(5, 1)]);
}

/// MySQL notes the partition beside the rows; an update that moves a row is still one row.
#[test]
fn rows_of_a_partitioned_table_carry_their_partition() {
    let mut extra = Vec::new();
    each(MYSQL, |event| {
        if let Body::Rows(rows) = &event.body
            && rows.table.table == "part"
        {
            extra.push(rows.extra.to_vec());
        }
    });
    // Type 1 is the partition: u16 of the row, in an update also u16 of where it came from.
    assert_eq!(extra, [vec![1, 1, 0], vec![1, 2, 0], vec![1, 3, 0, 2, 0]]);
    assert_eq!(rows(MYSQL, "part"), ["Write_rows 1,1", "Write_rows 2,2", "Write_rows 6,6", "Update_rows 6,6 -> 7,6"]);
}

#[test]
fn values_of_single_tables() {
    assert_eq!(rows(MYSQL, "px"), ["Write_rows 'k','v'"]);
    assert_eq!(rows(MYSQL, "nokey"), ["Write_rows 18446744073709551615,<25>"]);
    // With system versioning an update is an update and the insert of the row's history.
    assert_eq!(
        rows(MARIADB, "sv"),
        ["Write_rows_v1 1,1,<7>,<7>", "Update_rows_v1 1,1,<7>,<7> -> 1,2,<7>,<7>", "Write_rows_v1 1,1,<7>,<7>",]
    );
    assert_eq!(rows(MARIADB, "s1"), ["Write_rows_v1 1001,1,9223372036854775806,1,1,1000,0,0"]);
}

/// Statements are not rows, but the log says that they ran.
#[test]
fn statement_format_comes_out_as_statements() {
    for log in [MYSQL, MARIADB] {
        let (mut statements, mut others) = (Vec::new(), Vec::new());
        each(log, |event| match &event.body {
            Body::Query(query) if query.sql.starts_with(b"INSERT") => statements.push(query.sql.len()),
            Body::Other(_) => others.push(event.header.kind),
            _ => {}
        });
        assert!(!statements.is_empty(), "{log}");
        assert!(others.contains(&EventType::USER_VAR), "{log}");
    }
}
