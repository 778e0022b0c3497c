//! The heart of the engine: events of the log in, messages out, transaction ends noted.
//!
//! Purpose: give every captured change exactly one message, in log order, with a sequence id that a replay gives again.
//! Constraints: no socket, no disk, no clock (time comes in); nothing is allocated for a row; an event that is not
//! understood and could concern a captured table is an error, never skipped.
//! Life cycle: made at a [`Position`] and its logical offset; fed with every event behind it by [`Core::on_event`];
//! [`Core::abandon`] takes it back to the last transaction end when the connection is cut; [`Core::checkpoint`] gives the
//! newest end before which everything is durable.

use std::cmp::Ordering;
use std::sync::Arc;

use bitacora_binlog::{ChecksumAlgorithm, Decoder, RowScratch};
use bitacora_change::MessageBuffer;
use bitacora_source::ddl::Catalog;
use bitacora_source::replication::LogEnd;
use bitacora_source::{LogMark, Position};

use super::logical_offset::LogicalOffset;
pub use super::options::{CoreOptions, End, Heard, SchemaChanges, Statements};
use super::state::State;
use super::tables::Tables;
use super::topic_owners::TopicOwners;
use super::topics::Topics;
use super::transaction::Transaction;
use super::undecided::Undecided;
use super::watermark::Watermark;
use super::xa::XaTransactions;
use crate::error::EngineError;
use crate::metrics::SourceMetrics;
use crate::sink::{Lane, Sink};

/// The synchronous state machine of one source.
#[derive(Debug)]
pub struct Core<S> {
    decoder: Decoder,
    state: State<S>,
}

impl<S: Sink> Core<S> {
    /// Makes a core that continues at `position`, whose logical offset is `logical_offset`.
    pub fn new(
        options: CoreOptions,
        sink: S,
        metrics: Arc<SourceMetrics>,
        position: Position,
        logical_offset: u64,
        catalog: Arc<Catalog>,
    ) -> Self {
        let watermark = Watermark::new(options.checkpoint_interval_us);
        let topics = Topics::new(options.open_topics_max);
        Core {
            decoder: Decoder::new(),
            state: State {
                options,
                sink,
                metrics,
                catalog,
                tables: Tables::default(),
                topics,
                owners: TopicOwners::default(),
                transaction: Transaction::default(),
                xa: XaTransactions::default(),
                undecided: Undecided::default(),
                file: position.file.clone(),
                file_offset: position.offset,
                file_created: None,
                last_event: None,
                end: position,
                end_event: None,
                heartbeat: None,
                heartbeat_count: 0,
                end_offset: logical_offset,
                offset: LogicalOffset::at(logical_offset),
                watermark,
                unnoted_end: false,
                scratch: RowScratch::new(),
                buffer: MessageBuffer::default(),
                now_us: 0,
            },
        }
    }

    /// Tells which checksum the connection negotiated; it holds until the first format description.
    pub fn set_checksum(&mut self, checksum: ChecksumAlgorithm) {
        self.decoder.set_checksum(checksum);
    }

    /// Takes one whole event of the log. `now_us` is the clock in microseconds since 1970.
    ///
    /// # Errors
    /// The event is damaged or cannot be understood, or the sink has failed.
    pub fn on_event(&mut self, event: &[u8], now_us: i64) -> Result<(), EngineError> {
        let state = &mut self.state;
        state.now_us = now_us;
        state.metrics.event_count.add(1);
        state.metrics.event_bytes.add(event.len() as u64);
        let checksum = self.decoder.checksum();
        let decoded = self.decoder.decode(event).map_err(|error| state.undecodable(error))?;
        state.note_event(&decoded, event, checksum);
        state.on_event(decoded, checksum)
    }

    /// Sends what was collected; called when no more input is at hand.
    ///
    /// # Errors
    /// The sink has failed.
    pub fn flush(&mut self) -> Result<(), EngineError> {
        self.state.sink.flush()
    }

    /// Gives the newest transaction end before which everything is durable, if it moved.
    ///
    /// # Errors
    /// The sink has failed.
    pub fn checkpoint(&mut self, now_us: i64) -> Result<Option<End>, EngineError> {
        let state = &mut self.state;
        state.now_us = now_us;
        if state.unnoted_end && !state.xa.is_waiting() {
            state.note_end();
        }
        let oldest = state.sink.oldest_pending()?;
        Ok(state.watermark.advance(oldest))
    }

    /// Tells how far the server says that it has sent its log.
    pub fn heard(&self) -> Heard {
        let state = &self.state;
        let event = LogEnd { file: state.file.clone(), offset: state.file_offset };
        let end = LogEnd { file: state.end.file.clone(), offset: state.end.offset };
        // By GTID a server begins to send before the position, with what it then leaves out.
        let is_behind = event.compare(&end) == Some(Ordering::Less);
        Heard {
            read: if is_behind { end } else { event },
            idle: state.heartbeat.clone(),
            heartbeat_count: state.heartbeat_count,
        }
    }

    /// The log at the end of the last transaction, as far as it is known.
    pub fn log(&self) -> Option<LogMark> {
        self.state.log()
    }

    /// Goes back to the end of the last transaction, because the connection was cut; the reader continues there.
    pub fn abandon(&mut self) -> Position {
        let state = &mut self.state;
        state.transaction.abandon();
        state.xa.abandon_current();
        state.undecided.clear();
        state.offset = LogicalOffset::at(state.end_offset);
        state.file.clone_from(&state.end.file);
        state.file_offset = state.end.offset;
        state.file_created = None;
        self.decoder = Decoder::new();
        state.end.clone()
    }

    /// Sends everything, waits until it is durable and gives the last transaction end.
    ///
    /// # Errors
    /// The sink has failed.
    pub fn finish(&mut self) -> Result<Option<End>, EngineError> {
        let state = &mut self.state;
        state.sink.finish(Lane::Stream)?;
        if state.unnoted_end && !state.xa.is_waiting() {
            state.note_end();
        }
        Ok(state.watermark.advance(None))
    }

    /// The sink, for the shell around the core.
    pub fn sink(&mut self) -> &mut S {
        &mut self.state.sink
    }
}
