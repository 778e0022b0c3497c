//! Measures how fast a snapshot and the log are read, without decoding.
//!
//! Usage: `throughput PORT USER PASSWORD TABLE`, with `TABLE` as `database.table`; the log is read from its first file.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use bitacora_source::replication::{Client, EventChunk, ReplicaOptions, StreamState, Waiting};
use bitacora_source::{Filter, FilterOptions, Position, PublicKeyRetrieval, ServerConfig, TlsMode};
use bitacora_source::{Snapshot, SnapshotChunk, SnapshotOptions, SnapshotState};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().unwrap_or_default();
    let (port, user, password, table) = (next(), next(), next(), next());
    let mut config = ServerConfig::new("127.0.0.1", port.parse().unwrap(), user, password);
    config.tls.mode = TlsMode::Disabled;
    config.tls.public_key_retrieval = PublicKeyRetrieval::Allowed;

    let filter =
        Filter::new(&FilterOptions { table_include_list: Some(table.into()), ..FilterOptions::default() }).unwrap();
    let start = Instant::now();
    let mut snapshot = Snapshot::begin(&config, &filter, &SnapshotOptions::default()).await.unwrap();
    println!("view open after {:?}", start.elapsed());
    let (mut chunk, mut bytes) = (SnapshotChunk::new(), 0);
    let start = Instant::now();
    while snapshot.read_chunk(&mut chunk).await.unwrap() == SnapshotState::Rows {
        bytes += chunk.images.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    let rows = snapshot.progress().row_count;
    println!(
        "snapshot: {rows} rows, {bytes} bytes, {:.0} rows/s, {:.1} MB/s",
        rows as f64 / seconds,
        bytes as f64 / seconds / 1e6
    );

    let mut client =
        Client::connect(&config, ReplicaOptions { waiting: Waiting::Never, ..ReplicaOptions::new(99_001) })
            .await
            .unwrap();
    let first = client.connection().query("SHOW BINARY LOGS").await.unwrap();
    let first = first.first().unwrap().text(0).unwrap().to_owned();
    client.dump(&Position::at(first, 4)).await.unwrap();
    let (mut chunk, mut bytes, mut events, mut reads) = (EventChunk::new(), 0, 0, 0);
    let start = Instant::now();
    while client.read_events(&mut chunk).await.unwrap() == StreamState::Events {
        bytes += chunk.event_bytes();
        events += chunk.len();
        reads += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("log: {events} events in {reads} reads, {bytes} bytes, {:.0} MB/s", bytes as f64 / seconds / 1e6);
}
