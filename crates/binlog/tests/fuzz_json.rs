//! Fuzz target: binary JSON; the text stays within a factor of the document, however its parts overlap.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;
mod mutate;

use bitacora_binlog::{
    Body, Cell, ColumnType, Decoder, RowScratch,
    json::{JsonStyle, write_text},
};
use log::{events, golden};
use mutate::fuzz;

/// The documents of a log, at most 4 KiB each.
fn documents() -> Vec<Vec<u8>> {
    let file = golden("spelling/mysql-9.7.4");
    let (mut decoder, mut scratch, mut documents) = (Decoder::new(), RowScratch::new(), Vec::new());
    for (_, event) in events(&file) {
        let Body::Rows(rows) = decoder.decode(event).unwrap().body else { continue };
        let columns = rows.table.columns.iter().enumerate();
        let Some((column, _)) = columns.into_iter().find(|(_, column)| column.kind == ColumnType::JSON) else {
            continue;
        };
        let mut reader = rows.reader(&mut scratch);
        while let Some(row) = reader.next_row().unwrap() {
            if let Some(Cell::Value(stored)) = row.after.map(|image| image.column(column))
                && stored.len() <= 4096
            {
                documents.push(stored.to_vec());
            }
        }
    }
    documents
}

#[test]
fn json() {
    let mut out = Vec::new();
    fuzz(&documents(), |_, input| {
        for style in [JsonStyle::Compact, JsonStyle::Spaced] {
            out.clear();
            write_text(input, style, &mut out).ok();
            assert!(out.len() <= 16 * input.len() + 64, "{} bytes made of {}", out.len(), input.len());
        }
    });
}

/// An object whose only value is itself prints without end if nobody counts.
#[test]
fn a_document_that_holds_itself_is_refused() {
    // Small array of two elements, both small arrays at offset 0.
    let document = [2, 2, 0, 10, 0, 2, 0, 0, 2, 0, 0];
    let mut out = Vec::new();
    assert!(write_text(&document, JsonStyle::Compact, &mut out).is_err());
    assert!(out.len() < 64);
}

/// The servers allow arrays nested 100 deep; this is one more.
#[test]
fn nesting_has_a_limit() {
    let nested = |levels: u16| {
        let mut document = vec![2];
        for level in 0..levels {
            let size = (levels - level) * 7;
            document.extend_from_slice(&[1, 0]);
            document.extend_from_slice(&size.to_le_bytes());
            if level + 1 == levels {
                document.extend_from_slice(&[4, 0, 0]);
            } else {
                document.extend_from_slice(&[2, 7, 0]);
            }
        }
        let mut out = Vec::new();
        write_text(&document, JsonStyle::Compact, &mut out).map(|()| out.len())
    };
    assert_eq!(nested(100).unwrap(), 204);
    assert!(nested(101).unwrap_err().to_string().contains("deeper than 100 levels"));
}
