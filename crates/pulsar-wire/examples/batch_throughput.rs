//! Measures batch building, LZ4 and CRC-32C on one core: JSON messages of 800 bytes with a key, in batches of 128 KiB.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::time::Instant;

use bitacora_pulsar_wire::{BatchBuilder, Codec, EntryHeader, MessageKey, OutgoingMessage};

const MESSAGES: usize = 1_000;
const ROUNDS: usize = 3_000;
const BATCH_BYTES: usize = 128 * 1024;

fn main() {
    let values: Vec<String> = (0..MESSAGES).map(value).collect();
    let keys: Vec<String> = (0..MESSAGES).map(|id| format!("{{\"id\":{}}}", 100_000 + id)).collect();
    let value_bytes: usize = values.iter().map(String::len).sum::<usize>() / MESSAGES;
    for (name, codec) in [("none", Codec::None), ("lz4", Codec::Lz4)] {
        let header = EntryHeader {
            producer_name: "bitacora-reservas",
            publish_time_ms: 1_700_000_000_000,
            schema_version: Some(&[0; 8]),
            codec,
        };
        let mut builder = BatchBuilder::new();
        let mut entry_bytes = 0;
        let mut sequence_id = 0;
        let started = Instant::now();
        for _ in 0..ROUNDS {
            for (key, value) in keys.iter().zip(&values) {
                sequence_id += 160;
                let message = OutgoingMessage {
                    key: MessageKey::Bytes(key.as_bytes()),
                    value: Some(value.as_bytes()),
                    sequence_id,
                    ..Default::default()
                };
                builder.append(&message).unwrap();
                if builder.body_bytes() >= BATCH_BYTES {
                    entry_bytes += builder.finish(&header).unwrap().map_or(0, |batch| batch.entry.len());
                }
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let count = (ROUNDS * MESSAGES) as f64;
        println!(
            "{name:5} {:.2} M messages/s, {:.0} MB/s of {value_bytes}-byte values, stored in {:.0} bytes each",
            count / seconds / 1e6,
            count * value_bytes as f64 / seconds / 1e6,
            entry_bytes as f64 / count
        );
    }
}

/// An event of the size and the kind of a captured row with ten columns.
fn value(id: usize) -> String {
    let random = (id as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let row = format!(
        concat!(
            r#"{{"id":{},"cliente":"cliente-{:016x}","vuelo":"AV{}","origen":"BOG","destino":"MDE","precio":"{:x}","#,
            r#""estado":"CONFIRMADA","creado":"2026-11-{:02}T{:02}:31:07Z","notas":"{:016x}{:016x}","pasajeros":{}}}"#
        ),
        100_000 + id,
        random,
        random % 9999,
        random >> 40,
        id % 28 + 1,
        id % 24,
        random.rotate_left(17),
        random.rotate_left(31),
        id % 9,
    );
    let source = format!(
        concat!(
            r#"{{"version":"1.9.7.Final","connector":"mysql","name":"aeroalpesdb","ts_ms":17955029{:05},"#,
            r#""snapshot":"false","db":"reservas","sequence":null,"table":"usuarios_legado","server_id":11,"#,
            r#""gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:{}","#,
            r#""file":"binlog.000001","pos":{},"row":0,"thread":12,"query":null}}"#
        ),
        id,
        id,
        id * 160 + 4
    );
    let mut text = format!(
        r#"{{"before":null,"after":{row},"source":{source},"op":"c","ts_ms":17955029{id:05},"transaction":null}}"#
    );
    while text.len() < 800 {
        text.insert(text.len() - 1, ' ');
    }
    text
}
