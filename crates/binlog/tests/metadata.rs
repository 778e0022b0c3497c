//! What the servers tell about columns behind a table map: `golden/metadata/tables.sql` beside what is decoded from its
//! logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use bitacora_binlog::{Body, Cell, Column, Decoder, RowScratch, TableMap, value};
use log::{events, golden};
use std::sync::Arc;

const MYSQL: &str = "metadata/mysql-9.7.4";
const MARIADB: &str = "metadata/mariadb-10.11.18";
const BOTH: [&str; 2] = [MYSQL, MARIADB];

const BINARY: u32 = 63;
const LATIN1: u32 = 8;
const UCS2: u32 = 35;
const UTF8MB4_BIN: u32 = 46;
const UTF8MB4_UNICODE: u32 = 224;

/// How often a table of the recording was announced with full metadata (first) and with minimal (second).
#[derive(Clone, Copy, PartialEq)]
enum Metadata {
    Full,
    Minimal,
}

/// The table map of `table` in a log.
fn table_map(log: &str, table: &str, metadata: Metadata) -> Arc<TableMap> {
    let file = golden(log);
    let mut decoder = Decoder::new();
    for (_, event) in events(&file) {
        let Body::TableMap(map) = decoder.decode(event).unwrap().body else { continue };
        if map.table == table && map.names_known == (metadata == Metadata::Full) {
            return Arc::clone(map);
        }
    }
    panic!("{log} has no such map of {table}");
}

/// Compares a property of each column of `table` with what is expected.
fn check<T: PartialEq + std::fmt::Debug>(log: &str, table: &str, property: impl Fn(&Column) -> T, expected: &[T]) {
    let map = table_map(log, table, Metadata::Full);
    let actual: Vec<T> = map.columns.iter().map(property).collect();
    assert_eq!(actual, expected, "{table} in {log}");
}

fn unsigned_columns(map: &TableMap) -> Vec<usize> {
    (0..map.columns.len()).filter(|index| map.columns[*index].unsigned).collect()
}

/// Both servers count YEAR among the numeric columns of the signedness bits and mark it UNSIGNED. Without that every
/// number after a YEAR had the flag of its neighbour, and a negative one came out near 2^32.
#[test]
fn regression_numbers_after_a_year_keep_their_own_sign() {
    for log in BOTH {
        for metadata in [Metadata::Full, Metadata::Minimal] {
            let map = table_map(log, "signs", metadata);
            assert!(map.signedness_known);
            assert_eq!(unsigned_columns(&map), [0, 2, 4, 5, 6, 8, 9, 10], "{log}");
        }
        assert_eq!(unsigned_columns(&table_map(log, "years", Metadata::Full)), [0], "{log}");
    }
}

#[test]
fn numbers_beside_a_year_have_the_inserted_values() {
    for log in BOTH {
        let file = golden(log);
        let (mut decoder, mut scratch) = (Decoder::new(), RowScratch::new());
        let mut rows = Vec::new();
        for (_, event) in events(&file) {
            let Body::Rows(event) = decoder.decode(event).unwrap().body else { continue };
            if event.table.table != "signs" {
                continue;
            }
            let mut reader = event.reader(&mut scratch);
            while let Some(row) = reader.next_row().unwrap() {
                let image = row.after.unwrap();
                rows.push([0, 1, 3, 4, 10, 11].map(|index| match image.column(index) {
                    Cell::Value(stored) if event.table.columns[index].unsigned => {
                        Some(i128::from(value::unsigned(stored).unwrap()))
                    }
                    Cell::Value(stored) => Some(i128::from(value::signed(stored).unwrap())),
                    _ => None,
                }));
            }
        }
        let full = [4_294_967_295, -1, -2, 18_446_744_073_709_551_615, 16_777_215, -8_388_608].map(Some::<i128>);
        assert_eq!(rows, [full, [Some(2), None, Some(-2), None, None, None]], "{log}");
    }
}

#[test]
fn a_table_without_numbers_has_nothing_unsaid_about_signs() {
    for log in BOTH {
        let map = table_map(log, "unsaid", Metadata::Full);
        assert!(map.signedness_known);
        assert_eq!(unsigned_columns(&map), [0; 0]);
    }
}

/// Most columns share a collation: the servers write it once and list the exceptions.
#[test]
fn a_default_charset_holds_for_all_but_the_listed_columns() {
    let expected = [
        Some(UTF8MB4_UNICODE),
        Some(UTF8MB4_UNICODE),
        Some(LATIN1),
        Some(BINARY),
        Some(UTF8MB4_UNICODE),
        None,
        Some(UTF8MB4_BIN),
    ];
    for log in BOTH {
        check(log, "mostly", |column| column.collation, &expected);
        let minimal = table_map(log, "mostly", Metadata::Minimal);
        let collations: Vec<_> = minimal.columns.iter().map(|column| column.collation).collect();
        assert_eq!(collations, expected, "{log}");
    }
}

/// No two columns share a collation: the servers write one for each.
#[test]
fn a_charset_for_each_column() {
    for log in BOTH {
        let expected = [Some(LATIN1), Some(UTF8MB4_BIN), None, Some(UCS2), Some(BINARY)];
        check(log, "mixed", |column| column.collation, &expected);
    }
}

#[test]
fn enums_and_sets_have_their_own_charsets_and_labels() {
    let text = |labels: &[&str]| labels.iter().map(|label| label.as_bytes().to_vec()).collect::<Vec<_>>();
    for log in BOTH {
        let own = Some(UTF8MB4_BIN);
        check(log, "labels", |column| column.collation, &[own, Some(LATIN1), own, Some(LATIN1), own, own]);
        check(
            log,
            "labels",
            |column| column.labels.clone(),
            &[text(&["ñ", "b"]), vec![], text(&["x", "ú"]), vec![b"\xf1".to_vec()], text(&["p", "q"]), text(&["k"])],
        );
        check(log, "labels_mixed", |column| column.collation, &[own, Some(LATIN1), Some(UCS2)]);
        check(
            log,
            "labels_mixed",
            |column| column.labels.clone(),
            &[text(&["ñ"]), vec![b"\xf1".to_vec()], vec![b"\x00\xf1".to_vec()]],
        );
    }
}

#[test]
fn minimal_metadata_says_neither_names_nor_labels_nor_keys() {
    for log in BOTH {
        let map = table_map(log, "labels", Metadata::Minimal);
        assert!(map.columns.iter().all(|column| column.name.is_none() && column.labels.is_empty()), "{log}");
        assert!(map.primary_key.is_empty());
        let collations: Vec<_> = map.columns.iter().map(|column| column.collation).collect();
        assert_eq!(collations, [None, Some(LATIN1), None, None, None, None], "{log}");
        // The type of a geometry is among the little that minimal metadata has.
        let shapes = table_map(log, "shapes", Metadata::Minimal);
        assert_eq!(shapes.columns[1].geometry_type, Some(1), "{log}");
    }
}

fn check_key(table: &str, expected: &[(u32, u32)]) {
    for log in BOTH {
        let map = table_map(log, table, Metadata::Full);
        let key: Vec<(u32, u32)> = map.primary_key.iter().map(|part| (part.column, part.prefix_characters)).collect();
        assert_eq!(key, expected, "{table} in {log}");
    }
}

#[test]
fn primary_keys_come_in_key_order_with_their_prefixes() {
    check_key("signs", &[(0, 0)]);
    check_key("key_of_two", &[(2, 0), (0, 0)]);
    check_key("key_of_prefixes", &[(2, 10), (1, 0), (0, 5)]);
    check_key("hidden", &[]);
}

#[test]
fn a_unique_key_without_nulls_stands_in_for_the_primary_key() {
    check_key("key_unique", &[(1, 0)]);
}

#[test]
fn mysql_says_which_columns_are_invisible_and_mariadb_does_not() {
    let visible = [false, true, false, true, true, true, true, true, true, false];
    check(MYSQL, "hidden", |column| column.visible, &visible);
    check(MARIADB, "hidden", |column| column.visible, &[true; 10]);
}

#[test]
fn geometry_types_in_column_order() {
    let types = [Some(0), Some(1), None, Some(2), Some(3), Some(4), Some(5), Some(6), Some(7), None];
    for log in BOTH {
        check(log, "shapes", |column| column.geometry_type, &types);
    }
}

/// Geometry counts as a character column in MariaDB only; either way the VARCHAR behind it keeps its own collation.
#[test]
fn the_text_behind_geometries_keeps_its_charset() {
    for log in BOTH {
        let map = table_map(log, "shapes", Metadata::Full);
        assert_eq!(map.columns[9].collation, Some(LATIN1), "{log}");
    }
}

#[test]
fn vectors_have_a_dimension_and_do_not_shift_charsets() {
    check(MYSQL, "vectors", |column| column.vector_dimension, &[Some(3), None, Some(16), Some(2048)]);
    let collations = [Some(BINARY), Some(LATIN1), Some(BINARY), Some(BINARY)];
    check(MYSQL, "vectors", |column| column.collation, &collations);
}

#[test]
fn columns_of_mariadb_only_keep_their_charsets() {
    let name = |column: &Column| (column.name.clone().unwrap(), column.kind.name().unwrap(), column.collation);
    let map = table_map(MARIADB, "squeezed", Metadata::Full);
    let columns: Vec<_> = map.columns.iter().map(name).collect();
    let columns: Vec<_> = columns.iter().map(|(name, kind, collation)| (name.as_str(), *kind, *collation)).collect();
    assert_eq!(
        columns,
        [
            ("t", "BLOB_COMPRESSED", Some(LATIN1)),
            ("v", "VARCHAR_COMPRESSED", Some(45)),
            ("b", "BLOB_COMPRESSED", Some(BINARY)),
            ("p", "GEOMETRY", Some(BINARY)),
            ("u", "STRING", Some(BINARY)),
            ("j", "BLOB", Some(UTF8MB4_BIN)),
            ("i", "STRING", Some(BINARY)),
        ]
    );
}
