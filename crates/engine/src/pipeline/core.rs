//! The heart of the engine: events of the log in, messages out, transaction ends noted.
//!
//! Purpose: give every captured change exactly one message, in log order, with a sequence id that a replay gives again.
//! Constraints: no socket, no disk, no clock (time comes in); nothing is allocated for a row; an event that is not
//! understood and could concern a captured table is an error, never skipped. Life cycle: made at a [`Position`] and its
//! logical offset; fed with every event behind it by [`Core::on_event`]; taken back to the last transaction end by
//! [`Core::abandon`] when the connection is cut; asked by [`Core::checkpoint`] for the newest end before which
//! everything is durable.

use std::sync::Arc;

use bitacora_binlog::{ChecksumAlgorithm, Decoder, RowScratch};
use bitacora_source::ddl::Catalog;
use bitacora_source::{LogMark, Position};

use super::boundaries::Boundaries;
use super::logical_offset::LogicalOffset;
pub(crate) use super::options::{CoreOptions, End, Heard, SchemaChanges, Statements};
use super::read_place::ReadPlace;
pub(crate) use super::row_rules::RowRules;
use super::row_writer::RowWriter;
use super::state::State;
use super::tables::Tables;
use super::transaction::Transaction;
use super::waiting::Waiting;
use crate::error::EngineError;
use crate::metrics::SourceMetrics;
use crate::sink::{Lane, Sink};

/// The synchronous state machine of one source.
#[derive(Debug)]
pub(crate) struct Core<S> {
    decoder: Decoder,
    state: State<S>,
}

impl<S: Sink> Core<S> {
    /// Makes a core that continues at `position`, whose logical offset is `logical_offset`.
    pub(crate) fn new(
        options: CoreOptions,
        sink: S,
        metrics: Arc<SourceMetrics>,
        position: Position,
        logical_offset: u64,
        catalog: Arc<Catalog>,
    ) -> Self {
        let CoreOptions { server, rows, schema_changes, statements, proofs, checkpoint_interval_us } = options;
        Core {
            decoder: Decoder::new(),
            state: State {
                server,
                schema_changes,
                statements,
                writer: RowWriter::new(rows, sink, metrics, Lane::Stream),
                catalog,
                tables: Tables::default(),
                proofs,
                transaction: Transaction::default(),
                waiting: Waiting::default(),
                place: ReadPlace::at(&position),
                ends: Boundaries::at(position, logical_offset, checkpoint_interval_us),
                offset: LogicalOffset::at(logical_offset),
                scratch: RowScratch::new(),
                now_us: 0,
            },
        }
    }

    /// Sets the checksum that the connection negotiated; it holds until the first format description.
    pub(crate) fn set_checksum(&mut self, checksum: ChecksumAlgorithm) {
        self.decoder.set_checksum(checksum);
    }

    /// Takes one whole event of the log. `now_us` is the clock in microseconds since 1970.
    ///
    /// # Errors
    /// The event is damaged or cannot be understood, or the sink has failed.
    pub(crate) fn on_event(&mut self, event: &[u8], now_us: i64) -> Result<(), EngineError> {
        let state = &mut self.state;
        state.now_us = now_us;
        state.writer.metrics.event_count.add(1);
        state.writer.metrics.event_bytes.add(event.len() as u64);
        let checksum = self.decoder.checksum();
        let decoded = self.decoder.decode(event).map_err(|error| state.undecodable(error))?;
        state.place.note_event(&decoded, event, checksum);
        state.on_event(decoded, checksum)
    }

    /// Sends what was collected; called when no more input waits.
    ///
    /// # Errors
    /// The sink has failed.
    pub(crate) fn flush(&mut self) -> Result<(), EngineError> {
        self.state.writer.sink.flush()
    }

    /// Returns the newest transaction end before which everything is durable, if it moved.
    ///
    /// # Errors
    /// The sink has failed.
    pub(crate) fn checkpoint(&mut self, now_us: i64) -> Result<Option<End>, EngineError> {
        let state = &mut self.state;
        state.now_us = now_us;
        state.note_end();
        let oldest = state.writer.sink.oldest_pending()?;
        Ok(state.ends.advance(oldest))
    }

    /// Returns how far the server says that it has sent its log.
    pub(crate) fn heard(&self) -> Heard {
        self.state.place.heard(self.state.ends.end())
    }

    /// The log at the end of the last transaction, as far as it is known.
    pub(crate) fn log(&self) -> Option<LogMark> {
        self.state.ends.log(&self.state.place)
    }

    /// Goes back to the end of the last transaction, because the connection was cut; the reader continues there.
    pub(crate) fn abandon(&mut self) -> Position {
        self.decoder = Decoder::new();
        self.state.abandon()
    }

    /// Sends everything, waits until it is durable and gives the last transaction end.
    ///
    /// # Errors
    /// The sink has failed.
    pub(crate) fn finish(&mut self) -> Result<Option<End>, EngineError> {
        let state = &mut self.state;
        state.writer.sink.finish(Lane::Stream)?;
        state.note_end();
        Ok(state.ends.advance(None))
    }

    /// The sink, for the shell around the core.
    pub(crate) fn sink(&mut self) -> &mut S {
        &mut self.state.writer.sink
    }
}
