//! Fuzz target: table maps; one that decodes can be used for rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;
mod mutate;

use bitacora_binlog::{Body, ChecksumAlgorithm, Decoder, EventType, RowScratch, RowsEvent, RowsKind};
use log::{samples, walk_rows};
use mutate::{fix_length, fuzz};

#[test]
fn table_map() {
    let maps = samples(2000).into_iter().filter(|sample| sample.kind == EventType::TABLE_MAP);
    let (formats, corpus): (Vec<_>, Vec<_>) = maps.map(|sample| (sample.before[0].clone(), sample.event)).unzip();
    let (mut scratch, mut out) = (RowScratch::new(), Vec::new());
    fuzz(&corpus, |entry, input| {
        let mut decoder = Decoder::new();
        decoder.decode(&formats[entry]).unwrap();
        decoder.set_checksum(ChecksumAlgorithm::None);
        let mut event = input.to_vec();
        fix_length(&mut event);
        if let Ok(event) = decoder.decode(&event)
            && let Body::TableMap(table) = event.body
        {
            assert_eq!(table.widths().len(), table.columns.len());
            walk_rows(&RowsEvent::from_images(RowsKind::Update, table, input), &mut scratch, &mut out).ok();
        }
    });
}
