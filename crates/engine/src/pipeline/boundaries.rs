//! The end of the last transaction, and the ends that may become the checkpoint.

use std::sync::Arc;

use bitacora_binlog::gtid::GtidSet;
use bitacora_source::ddl::Catalog;
use bitacora_source::{EventMark, LogMark, Position};

use super::options::End;
use super::read_place::ReadPlace;
use super::watermark::Watermark;

/// Ends of transactions, as the reader passes them.
#[derive(Debug)]
pub(super) struct Boundaries {
    end: Position,
    /// The event that ends there; `None` at the beginning of a file, and for an end that was not read.
    event: Option<EventMark>,
    /// Logical offset there.
    logical_offset: u64,
    watermark: Watermark<End>,
    /// Whether the end moved since the last end that was noted.
    is_unnoted: bool,
}

impl Boundaries {
    /// Begins at an end; at most one is noted in each interval.
    pub(super) fn at(end: Position, logical_offset: u64, interval_us: i64) -> Self {
        Boundaries { end, event: None, logical_offset, watermark: Watermark::new(interval_us), is_unnoted: false }
    }

    /// Returns the end of the last transaction.
    pub(super) fn end(&self) -> &Position {
        &self.end
    }

    /// Returns the logical offset there.
    pub(super) fn logical_offset(&self) -> u64 {
        self.logical_offset
    }

    /// Returns the GTIDs of all transactions up to there, to which the next one adds its own.
    pub(super) fn executed(&mut self) -> &mut Option<GtidSet> {
        &mut self.end.gtid
    }

    /// Notes that a transaction ends where the reader is.
    pub(super) fn end_transaction(&mut self, place: &ReadPlace, logical_offset: u64) {
        if self.end.file != place.file {
            self.end.file.clone_from(&place.file);
        }
        self.end.offset = place.offset;
        self.event = place.last_event;
        self.logical_offset = logical_offset;
        self.is_unnoted = true;
    }

    /// Moves the last transaction's end to the beginning of another file, which begins outside of a transaction.
    pub(super) fn enter_file(&mut self, place: &ReadPlace) {
        if self.end.file != place.file {
            self.end.file.clone_from(&place.file);
            self.end.offset = place.offset;
            self.event = None;
            self.is_unnoted = true;
        }
    }

    /// Returns the log at the last end, as far as it is known.
    pub(super) fn log(&self, place: &ReadPlace) -> Option<LogMark> {
        let created = place.created.filter(|_| self.end.file == place.file)?;
        Some(LogMark { file: self.end.file.clone(), created, event: self.event })
    }

    /// Returns whether the last end is not noted yet.
    pub(super) fn is_unnoted(&self) -> bool {
        self.is_unnoted
    }

    /// Returns whether an end that is met now should be noted.
    pub(super) fn wants(&self, now_us: i64) -> bool {
        self.watermark.wants(now_us)
    }

    /// Notes the last end as a candidate for the checkpoint.
    pub(super) fn note(&mut self, place: &ReadPlace, catalog: &Arc<Catalog>, now_us: i64) {
        self.is_unnoted = false;
        let end = End {
            position: self.end.clone(),
            log: self.log(place),
            logical_offset: self.logical_offset,
            catalog: Arc::clone(catalog),
        };
        self.watermark.note(self.logical_offset, end, now_us);
    }

    /// Takes the newest end before which everything is durable, given the lowest sequence id that is not.
    pub(super) fn advance(&mut self, oldest_pending: Option<u64>) -> Option<End> {
        self.watermark.advance(oldest_pending)
    }
}
