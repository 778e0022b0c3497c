//! Against the servers' own tools: `golden/record.sh tool` had `mysqlbinlog` and `mariadb-binlog` print the golden
//! logs, and what is decoded here must print the same: each event's end, checksum and type, and each row line by line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod log;

use bitacora_binlog::{
    Body, Cell, Column, ColumnType, Decoder, Event, EventType, Flavor, Image, RowScratch, RowsEvent, RowsKind, json,
    value,
};
use log::{events, golden};

/// One event as the tool's header line has it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    end: u64,
    checksum: u32,
    kind: String,
}

/// What a tool printed of a log, or what is printed here in its form.
#[derive(Default)]
struct Listing {
    events: Vec<Line>,
    rows: Vec<Vec<u8>>,
}

/// Reads the tool's output.
fn recorded(name: &str) -> Listing {
    let mut listing = Listing::default();
    for line in golden(name).split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        if line.starts_with(b"###") {
            listing.rows.push(without_type(line).clone());
            continue;
        }
        let text = String::from_utf8_lossy(line);
        let (head, kind) = text.split_once('\t').unwrap();
        let mut words = head.split_whitespace().skip_while(|word| *word != "end_log_pos").skip(1);
        let end = words.next().unwrap().parse().unwrap();
        assert_eq!(words.next(), Some("CRC32"));
        let checksum = u32::from_str_radix(words.next().unwrap().trim_start_matches("0x"), 16).unwrap();
        listing.events.push(Line { end, checksum, kind: kind.to_owned() });
    }
    listing
}

/// Cuts the name of the type, which the tool has without its metadata, and keeps the flags behind it.
fn without_type(line: &[u8]) -> Vec<u8> {
    let find = |what: &[u8]| line.windows(what.len()).rposition(|window| window == what);
    match (find(b" /* "), find(b" nullable=")) {
        (Some(start), Some(flags)) if start < flags => [&line[..start], &line[flags..]].concat(),
        _ => line.to_vec(),
    }
}

/// Prints a log in the tool's form; inner events of compressed transactions have the end of the outer one.
fn printed(name: &str) -> Listing {
    let file = golden(name);
    let (mut decoder, mut scratch, mut listing) = (Decoder::new(), RowScratch::new(), Listing::default());
    let mut flavor = Flavor::Mysql;
    for (at, bytes) in events(&file) {
        let mut event = decoder.decode(bytes).unwrap();
        let end = (at + bytes.len()) as u64;
        assert_eq!(u64::from(event.header.next_position), end);
        if let Body::FormatDescription(format) = event.body {
            flavor = format.flavor;
        }
        let checksum = u32::from_le_bytes(*bytes.last_chunk().unwrap());
        let line = |event: &Event<'_>| Line { end, checksum, kind: tool_name(event.header.kind, flavor).to_owned() };
        listing.events.push(line(&event));
        if let Body::TransactionPayload(payload) = &mut event.body {
            while let Some(event) = payload.next_event().unwrap() {
                listing.events.push(Line { checksum: 0, ..line(&event) });
                print_rows(&event, flavor, &mut scratch, &mut listing.rows);
            }
        }
        print_rows(&event, flavor, &mut scratch, &mut listing.rows);
    }
    listing
}

/// How a tool's header line names a type, as far as it goes.
fn tool_name(kind: EventType, flavor: Flavor) -> &'static str {
    match kind {
        EventType::FORMAT_DESCRIPTION => "Start: binlog v 4, server v ",
        EventType::PREVIOUS_GTIDS => "Previous-GTIDs",
        EventType::GTID | EventType::GTID_TAGGED => "GTID\tlast_committed=",
        EventType::MARIADB_GTID => "GTID ",
        EventType::GTID_LIST => "Gtid list [",
        EventType::BINLOG_CHECKPOINT => "Binlog checkpoint ",
        EventType::QUERY => "Query\tthread_id=",
        EventType::XID => "Xid = ",
        EventType::XA_PREPARE if flavor == Flavor::Mariadb => "XID = X'",
        EventType::XA_PREPARE => "XA PREPARE X'",
        EventType::TABLE_MAP => "Table_map: `",
        EventType::ROWS_QUERY => "Rows_query",
        EventType::ANNOTATE_ROWS => "Annotate_rows:",
        EventType::WRITE_ROWS | EventType::WRITE_ROWS_V1 => "Write_rows: table id ",
        EventType::UPDATE_ROWS | EventType::UPDATE_ROWS_V1 => "Update_rows: table id ",
        EventType::DELETE_ROWS | EventType::DELETE_ROWS_V1 => "Delete_rows: table id ",
        EventType::TRANSACTION_PAYLOAD => "Transaction_Payload\t",
        EventType::ROTATE => "Rotate to ",
        other => panic!("no golden log has {other}"),
    }
}

fn print_rows(event: &Event<'_>, flavor: Flavor, scratch: &mut RowScratch, lines: &mut Vec<Vec<u8>>) {
    let Body::Rows(rows) = &event.body else { return };
    let verb = match rows.kind {
        RowsKind::Insert => "INSERT INTO",
        RowsKind::Update => "UPDATE",
        RowsKind::Delete => "DELETE FROM",
    };
    // Of MySQL's extra parts only the partition is met here: type 1, the row's partition, in an update also the one it
    // came from.
    match *rows.extra {
        [] => {}
        [1, a, b] => {
            let partition = u16::from_le_bytes([a, b]);
            lines.push(format!("### Extra row info for partitioning: partition: {partition}").into_bytes());
        }
        [1, a, b, c, d] => {
            let (target, source) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
            let text = format!("source_partition: {source} target_partition: {target}");
            lines.push(format!("### Extra row info for partitioning: {text}").into_bytes());
        }
        ref other => panic!("extra part {other:?}"),
    }
    let mut reader = rows.reader(scratch);
    while let Some(row) = reader.next_row().unwrap() {
        lines.push(format!("### {verb} `{}`.`{}`", rows.table.database, rows.table.table).into_bytes());
        for (name, image) in [("WHERE", &row.before), ("SET", &row.after)] {
            let Some(image) = image else { continue };
            lines.push(format!("### {name}").into_bytes());
            if !print_image(rows, image, flavor, lines) {
                return;
            }
        }
    }
}

/// Prints an image; false where MySQL's tool gives up and leaves the rest of the event out.
fn print_image(rows: &RowsEvent<'_>, image: &Image<'_>, flavor: Flavor, lines: &mut Vec<Vec<u8>>) -> bool {
    for (index, column) in rows.table.columns.iter().enumerate() {
        let mut line = format!("###   @{}=", index + 1).into_bytes();
        let cell = image.column(index);
        match cell {
            Cell::Absent => continue,
            _ if flavor == Flavor::Mysql && column.kind == ColumnType::GEOMETRY => {
                line.extend_from_slice(b"!! Don't know how to handle column type=255 meta=4 (0004)");
                lines.push(line);
                return false;
            }
            Cell::Null => line.extend_from_slice(b"NULL"),
            Cell::Value(stored) => print_value(column, stored, flavor, &mut line),
        }
        let (nullable, is_null) = (u8::from(column.nullable), u8::from(cell == Cell::Null));
        line.extend_from_slice(format!(" nullable={nullable} is_null={is_null} */").as_bytes());
        lines.push(line);
    }
    true
}

fn print_value(column: &Column, stored: &[u8], flavor: Flavor, out: &mut Vec<u8>) {
    let digits = column.fractional_digits();
    let mut text = Vec::new();
    match column.kind {
        // The tool does not use the flag UNSIGNED; it prints both readings where they differ.
        ColumnType::TINY | ColumnType::SHORT | ColumnType::INT24 | ColumnType::LONG | ColumnType::LONGLONG => {
            let (signed, unsigned) = (value::signed(stored).unwrap(), value::unsigned(stored).unwrap());
            text = signed.to_string().into_bytes();
            if signed < 0 {
                text.extend_from_slice(format!(" ({unsigned})").as_bytes());
            }
        }
        ColumnType::FLOAT => {
            text = format!("{:<20}", general(f64::from(value::float(stored).unwrap()), 6)).into_bytes();
        }
        ColumnType::DOUBLE => text = general(value::double(stored).unwrap(), 20).into_bytes(),
        ColumnType::NEWDECIMAL => {
            value::Decimal::new(stored, column.precision(), column.scale()).unwrap().write_text(&mut text).unwrap();
        }
        ColumnType::YEAR => {
            // The tool knows no year 0 and adds 1900 to every byte.
            let year = value::year(stored).unwrap();
            text = if year == 0 { 1900 } else { year }.to_string().into_bytes();
        }
        ColumnType::DATE => {
            value::date(stored).unwrap().write_text(&mut text);
            text.iter_mut().filter(|byte| **byte == b'-').for_each(|byte| *byte = b':');
            text = quoted(&text, Flavor::Mysql);
        }
        ColumnType::TIME2 => {
            value::time2(stored, digits).unwrap().write_text(digits, &mut text);
            text = quoted(&text, flavor);
        }
        ColumnType::DATETIME2 => {
            value::datetime2(stored, digits).unwrap().write_text(digits, &mut text);
            text = quoted(&text, flavor);
        }
        ColumnType::TIMESTAMP2 => {
            let timestamp = value::timestamp2(stored, digits).unwrap();
            text = timestamp.seconds.to_string().into_bytes();
            if digits > 0 {
                let fraction = format!(".{:06}", timestamp.microsecond);
                text.extend_from_slice(&fraction.as_bytes()[..=usize::from(digits)]);
            }
        }
        ColumnType::BIT => {
            let width = usize::from(column.bits());
            text = format!("b'{:0width$b}'", value::bit(stored).unwrap()).into_bytes();
        }
        ColumnType::ENUM => text = value::enum_index(stored).unwrap().to_string().into_bytes(),
        ColumnType::SET => {
            // The tool shows the bytes as they lie, the lowest first.
            let bytes: String = value::set_bits(stored).unwrap().to_le_bytes()[..stored.len()]
                .iter()
                .map(|byte| format!("{byte:08b}"))
                .collect();
            text = format!("b'{bytes}'").into_bytes();
        }
        ColumnType::JSON => {
            json::write_text(stored, json::JsonStyle::Spaced, &mut text).unwrap();
            // A document that is only a string stands there without its quotes (those of the golden logs hold nothing
            // to escape).
            let string = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
            text = quoted(string.unwrap_or(&text), flavor);
        }
        ColumnType::VECTOR => {
            let floats =
                stored.as_chunks::<4>().0.iter().map(|bytes| exponential(f64::from(f32::from_le_bytes(*bytes)), 5));
            text = format!("[{}]", floats.collect::<Vec<_>>().join(",")).into_bytes();
        }
        _ => text = quoted(stored, flavor),
    }
    out.extend_from_slice(&text);
}

/// Quotes bytes as the tools do: only MySQL's escapes quotes, backslashes and some control characters.
fn quoted(bytes: &[u8], flavor: Flavor) -> Vec<u8> {
    let mut out = vec![b'\''];
    for byte in bytes {
        match byte {
            8 if flavor == Flavor::Mysql => out.extend_from_slice(b"\\b"),
            b'\t' if flavor == Flavor::Mysql => out.extend_from_slice(b"\\t"),
            b'\n' if flavor == Flavor::Mysql => out.extend_from_slice(b"\\n"),
            b'\r' if flavor == Flavor::Mysql => out.extend_from_slice(b"\\r"),
            0..0x20 => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
            b'\'' | b'\\' if flavor == Flavor::Mysql => out.extend_from_slice(&[b'\\', *byte]),
            _ => out.push(*byte),
        }
    }
    out.push(b'\'');
    out
}

/// `%.Ne` of C.
fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// `%.Ng` of C.
fn general(number: f64, precision: usize) -> String {
    let scientific = exponential(number, precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap();
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    let power: i32 = exponent.parse().unwrap();
    if power < -4 || power >= precision as i32 {
        return format!("{}e{exponent}", trim(mantissa));
    }
    let decimals = (precision as i32 - 1 - power) as usize;
    trim(&format!("{number:.decimals$}"))
}

fn check(log: &str, tool: &str, event_count: usize, row_lines: usize) {
    let (ours, theirs) = (printed(log), recorded(tool));
    for (index, (ours, theirs)) in ours.events.iter().zip(&theirs.events).enumerate() {
        assert_eq!(ours.end, theirs.end, "event {index}: {ours:?} {theirs:?}");
        assert!(theirs.kind.starts_with(&ours.kind), "event {index}: {ours:?} {theirs:?}");
        // Inside a compressed transaction the tool makes checksums up.
        assert!(ours.checksum == 0 || ours.checksum == theirs.checksum, "event {index}: {ours:?} {theirs:?}");
    }
    assert_eq!((ours.events.len(), theirs.events.len()), (event_count, event_count), "events of {log}");
    for (index, (ours, theirs)) in ours.rows.iter().zip(&theirs.rows).enumerate() {
        let text = |line: &[u8]| line.escape_ascii().to_string();
        assert!(ours == theirs, "row line {index}:\n{}\n{}", text(ours), text(theirs));
    }
    assert_eq!((ours.rows.len(), theirs.rows.len()), (row_lines, row_lines), "row lines of {log}");
}

#[test]
fn mysqlbinlog_prints_the_same_events_and_rows() {
    check("mysql-9.7.4/binlog.000001", "mysql-9.7.4/binlog.000001.mysqlbinlog", 2308, 40_970);
}

#[test]
fn mariadb_binlog_prints_the_same_events_and_rows() {
    check("mariadb-10.11.18/binlog.000001", "mariadb-10.11.18/binlog.000001.mariadb-binlog", 1768, 40_797);
}
