//! Encoding of the recorded rows as keys and envelopes, with their decoding; and Base64, by our writer and by the crate
//! `base64`, for the lengths that columns have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "../tests/log/mod.rs"]
mod log;

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitacora_binlog::RowScratch;
use bitacora_change::json::write_base64;
use bitacora_change::{Connector, DebeziumForm, MessageBuffer, ValueFormat};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use log::Plans;

fn encode(criterion: &mut Criterion) {
    let file = bitacora_testkit::recorded_log::unpacked("crates/binlog/tests/golden/mysql-9.7.4/binlog.000001.gz");
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Bytes(file.len() as u64));
    for form in [DebeziumForm::V1_9, DebeziumForm::V3_6] {
        let options = log::options(Connector::Mysql, form, ValueFormat::Json);
        let (mut plans, mut scratch, mut buffer) = (Plans::new(), RowScratch::new(), MessageBuffer::default());
        group.bench_function(BenchmarkId::from_parameter(form.version()), |bencher| {
            bencher.iter(|| {
                log::rows_events(&file, |_, rows| {
                    let plan = log::plan(&mut plans, rows, &options);
                    log::encode_rows(plan, rows, &mut scratch, &mut buffer, |buffer| {
                        black_box(buffer.messages().len());
                    });
                });
            });
        });
    }
    group.finish();
}

fn base64(criterion: &mut Criterion) {
    for length in [5, 16, 64, 1_024, 65_536] {
        let bytes: Vec<u8> = (0..=u8::MAX).map(|byte| byte.wrapping_mul(31)).cycle().take(length).collect();
        let mut group = criterion.benchmark_group(format!("base64/{length}"));
        group.throughput(Throughput::Bytes(length as u64));
        let mut out = Vec::with_capacity(100_000);
        group.bench_function("ours", |bencher| {
            bencher.iter(|| {
                out.clear();
                write_base64(black_box(&bytes), &mut out);
            });
        });
        group.bench_function("crate", |bencher| {
            bencher.iter(|| {
                out.clear();
                write_with_crate(black_box(&bytes), &mut out);
            });
        });
        group.finish();
    }
}

fn write_with_crate(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap();
    out.truncate(start + written);
}

criterion_group!(benches, encode, base64);
criterion_main!(benches);
