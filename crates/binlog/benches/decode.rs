//! Decoding of the recorded logs: framing with the checksum alone, the place of each column of each row, and every
//! value as text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "../tests/log/mod.rs"]
mod log;

use std::hint::black_box;

use bitacora_binlog::{Body, Decoder, RowScratch};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn decode(criterion: &mut Criterion) {
    for name in ["mysql-9.7.4/binlog.000001", "mariadb-10.11.18/binlog.000001"] {
        let file = log::golden(name);
        let events = log::events(&file);
        let server = name.split('/').next().unwrap();
        let mut group = criterion.benchmark_group(format!("decode/{server}"));
        group.throughput(Throughput::Bytes(file.len() as u64));
        group.bench_function("frame", |bencher| {
            bencher.iter(|| {
                let mut decoder = Decoder::new();
                for (_, event) in &events {
                    black_box(decoder.decode(event).unwrap());
                }
            });
        });
        let mut scratch = RowScratch::new();
        group.bench_function("rows", |bencher| {
            bencher.iter(|| {
                let mut decoder = Decoder::new();
                for (_, event) in &events {
                    if let Body::Rows(rows) = decoder.decode(event).unwrap().body {
                        let mut reader = rows.reader(&mut scratch);
                        while let Some(row) = reader.next_row().unwrap() {
                            black_box(row.index);
                        }
                    }
                }
            });
        });
        let mut text = Vec::new();
        group.bench_function("values", |bencher| {
            bencher.iter(|| {
                let mut decoder = Decoder::new();
                for (_, event) in &events {
                    log::walk(&mut decoder, event, &mut scratch, &mut text).unwrap();
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
