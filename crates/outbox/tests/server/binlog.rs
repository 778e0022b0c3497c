//! What a reader of the binlog sees.

use bitacora_binlog::{Body, Cell, Decoder, RowScratch, RowsKind};
use bitacora_source::replication::{Client, EventChunk, ReplicaOptions, StreamState, Waiting};
use bitacora_source::{Position, ServerConfig};

use crate::Server;

/// Reads the whole log: for each transaction that changed rows, "insert TABLE FIRST-COLUMN" or the like for each row.
pub(crate) async fn transactions(server: &Server) -> Vec<Vec<String>> {
    let config = ServerConfig::new("127.0.0.1", server.port, "debezium", "dbz");
    let options = ReplicaOptions { waiting: Waiting::Never, ..ReplicaOptions::new(4_001) };
    let mut client = Client::connect(&config, options).await.unwrap();
    client.dump(&Position::at("binlog.000001", 4)).await.unwrap();
    let mut decoder = Decoder::new();
    decoder.set_checksum(client.checksum());
    let (mut transactions, mut chunk, mut scratch) = (Vec::<Vec<String>>::new(), EventChunk::new(), RowScratch::new());
    while client.read_events(&mut chunk).await.unwrap() == StreamState::Events {
        for bytes in chunk.events() {
            match decoder.decode(bytes).unwrap().body {
                Body::Gtid(_) | Body::MariadbGtid(_) => transactions.push(Vec::new()),
                Body::Rows(rows) => {
                    let kind = match rows.kind {
                        RowsKind::Insert => "insert",
                        RowsKind::Update => "update",
                        RowsKind::Delete => "delete",
                    };
                    let table = rows.table.table.clone();
                    let mut reader = rows.reader(&mut scratch);
                    while let Some(row) = reader.next_row().unwrap() {
                        let Cell::Value(first) = row.after.or(row.before).unwrap().column(0) else { panic!("no id") };
                        let first = String::from_utf8_lossy(first);
                        transactions.last_mut().unwrap().push(format!("{kind} {table} {first}"));
                    }
                }
                _ => {}
            }
        }
    }
    transactions.retain(|rows| !rows.is_empty());
    transactions
}
