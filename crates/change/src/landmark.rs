//! Landmarks: where the constant parts of a message's value begin.
//!
//! Two events of a table share most of their text. A compressor need not search for it: the plan notes where it wrote
//! each constant part, under a name that is the same in every message of the table.

use std::ops::Range;

/// The name of a constant part, a small number, and where it begins, in bytes from the start of the value.
pub type Landmark = (u16, u32);

/// The schema in front of an envelope, in messages that carry it.
pub(crate) const VALUE: u16 = 0;
/// `{"before":`.
pub(crate) const ENVELOPE: u16 = 1;
/// `,"after":`.
pub(crate) const AFTER: u16 = 2;
/// Parts of the source block between what changes from event to event.
pub(crate) const SOURCE: u16 = 3;
pub(crate) const SOURCE_SNAPSHOT: u16 = 4;
pub(crate) const SOURCE_NANOSECONDS: u16 = 5;
pub(crate) const SOURCE_TABLE: u16 = 6;
pub(crate) const SOURCE_GTID: u16 = 7;
pub(crate) const SOURCE_FILE: u16 = 8;
pub(crate) const SOURCE_POSITION: u16 = 9;
pub(crate) const SOURCE_ROW: u16 = 10;
pub(crate) const SOURCE_THREAD: u16 = 11;
pub(crate) const SOURCE_QUERY: u16 = 12;
/// Behind the source block.
pub(crate) const OPERATION: u16 = 13;
pub(crate) const MICROSECONDS: u16 = 14;
pub(crate) const NANOSECONDS: u16 = 15;
pub(crate) const END: u16 = 16;
/// Labels of the columns, alike in both images: an update repeats most of the image before it.
pub(crate) const FIRST_COLUMN: u16 = 17;

/// Landmarks of the messages in a buffer, and of the one that is being written.
#[derive(Debug, Default)]
pub(crate) struct Landmarks {
    places: Vec<Landmark>,
    /// Count of the places of finished messages.
    finished: usize,
    /// Where the value that is being written begins.
    value_start: usize,
}

impl Landmarks {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.finished = 0;
    }

    /// Begins a value at `at`; what was marked since the last message, inside its key, is forgotten.
    pub(crate) fn begin_value(&mut self, at: usize) {
        self.places.truncate(self.finished);
        self.value_start = at;
    }

    /// Notes that the constant part `name` begins at `at`.
    #[expect(clippy::cast_possible_truncation, reason = "a message is below 4 GiB: Pulsar counts its bytes in 32 bits")]
    pub(crate) fn mark(&mut self, name: u16, at: usize) {
        self.places.push((name, at.wrapping_sub(self.value_start) as u32));
    }

    /// Marks the places of a text that was written elsewhere and is copied to `at`.
    #[expect(clippy::cast_possible_truncation, reason = "a message is below 4 GiB: Pulsar counts its bytes in 32 bits")]
    pub(crate) fn copy(&mut self, from: &Landmarks, at: usize) {
        let base = at.wrapping_sub(self.value_start) as u32;
        self.places.extend(from.places.iter().map(|&(name, place)| (name, base.wrapping_add(place))));
    }

    /// Ends a message and returns the range of its places.
    pub(crate) fn finish(&mut self) -> Range<usize> {
        let start = std::mem::replace(&mut self.finished, self.places.len());
        start..self.finished
    }

    /// Returns the places of a finished message.
    pub(crate) fn of(&self, message: Range<usize>) -> &[Landmark] {
        self.places.get(message).unwrap_or_default()
    }
}
