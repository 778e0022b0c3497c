//! What a source has done, as counters that any thread may read.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counters of one source. They only rise, except the gauges at the end.
#[derive(Debug, Default)]
pub struct SourceMetrics {
    /// Events read from the log.
    pub event_count: Counter,
    /// Bytes of events read from the log.
    pub event_bytes: Counter,
    /// Rows of captured tables that were encoded, from the stream.
    pub row_count: Counter,
    /// Rows read by the snapshot.
    pub snapshot_row_count: Counter,
    /// Messages handed to the sink.
    pub message_count: Counter,
    /// Messages that the sink already had when they were read again.
    pub repeated_message_count: Counter,
    /// Rows of tables that are not captured.
    pub uncaptured_row_count: Counter,
    /// Messages of transactions that were logged and rolled back: of XA ones, and of MariaDB's.
    pub rolled_back_message_count: Counter,
    /// Rows that could not be sent as their messages, of outbox tables or too large, and whose place a dead letter
    /// took.
    pub dead_letter_count: Counter,
    /// Deleted rows of outbox tables, which send nothing.
    pub outbox_deleted_row_count: Counter,
    /// Updated rows of outbox tables, which send nothing.
    pub outbox_updated_row_count: Counter,
    /// Events of a type that this program does not know, that the server marked as safe to skip.
    pub ignored_event_count: Counter,
    /// Times that the connection to the server was made again.
    pub reconnect_count: Counter,
    /// Checkpoints stored.
    pub checkpoint_count: Counter,
    /// Commit time of the last transaction that was read, microseconds since 1970.
    pub last_commit_us: Gauge,
    /// Age of that transaction when it was read, microseconds. MariaDB tells the commit time in whole seconds.
    pub commit_lag_us: Gauge,
}

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to the number.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Reads the number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that moves both ways.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets the number.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Reads the number.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
