//! NULL bits of row images: every place of a NULL, and bits behind the last column, which MariaDB sets and MySQL does
//! not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use bitacora_binlog::{Cell, Column, ColumnType, RowScratch, RowsEvent, RowsKind, TableMap};
use std::sync::Arc;

/// An image of one-byte columns, each holding its number, with NULL where `is_null` says so.
fn image(columns: usize, is_null: impl Fn(usize) -> bool, unused_bits: bool) -> Vec<u8> {
    let mut bytes = vec![0u8; columns.div_ceil(8)];
    for bit in (0..columns).filter(|bit| is_null(*bit)).chain((columns..bytes.len() * 8).filter(|_| unused_bits)) {
        bytes[bit / 8] |= 1 << (bit % 8);
    }
    bytes.extend((0..columns).filter(|column| !is_null(*column)).map(|column| column as u8));
    bytes
}

fn check(columns: usize, is_null: impl Fn(usize) -> bool) {
    let table = TableMap::synthesize("d", "t", vec![Column::new(ColumnType::TINY, 0); columns], Vec::new()).unwrap();
    let table = Arc::new(table);
    for unused_bits in [false, true] {
        // A second row without NULL shows that the first one leaves nothing behind.
        let images = [image(columns, &is_null, unused_bits), image(columns, |_| false, unused_bits)].concat();
        let event = RowsEvent::from_images(RowsKind::Insert, &table, &images);
        let mut scratch = RowScratch::new();
        let mut reader = event.reader(&mut scratch);
        for is_first in [true, false] {
            let row = reader.next_row().unwrap().unwrap();
            for column in 0..columns {
                let expected = if is_first && is_null(column) { Cell::Null } else { Cell::Value(&[column as u8]) };
                assert_eq!(row.after.unwrap().column(column), expected, "column {column} of {columns}");
            }
        }
        assert!(reader.next_row().unwrap().is_none());
    }
}

#[test]
fn every_place_of_a_null() {
    for columns in 1..=40 {
        check(columns, |_| false);
        check(columns, |_| true);
        for null in 0..columns {
            check(columns, |column| column == null);
            check(columns, |column| column != null);
        }
    }
}
