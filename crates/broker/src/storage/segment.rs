//! One file of a log.
//!
//! Format: the head (see [`super::head`]), then the records without gaps. The head of the next segment says how many
//! entries and bytes a sealed segment has.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{
    StorageError, TopicIdentity,
    error::corrupt,
    file::{read_up_to, sync_folder},
    head::{self, Previous},
    record::{HEADER_BYTES, Header, Parsed, parse},
};

/// The sparse index has about one mark for this many bytes.
const INDEX_EVERY_BYTES: u64 = 16 * 1024;

/// A mark of the sparse index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Index of an entry in the segment.
    pub entry: u64,
    /// Where its record starts.
    pub byte_offset: u64,
    /// Latest publish time of the entries before it.
    pub latest_before_ms: u64,
}

/// The sparse index of a segment. It is built while entries are written, or by one scan of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index {
    marks: Vec<Mark>,
    latest_ms: u64,
    entry_count: u64,
    pub end: u64,
}

impl Index {
    /// Creates the index of a segment that has no records yet and a head of `head_bytes`.
    pub(super) fn new(head_bytes: u64) -> Self {
        Self { end: head_bytes, ..Self::default() }
    }

    pub(super) fn add(&mut self, entry_bytes: usize, publish_time_ms: u64) {
        if self.marks.last().is_none_or(|mark| self.end - mark.byte_offset >= INDEX_EVERY_BYTES) {
            self.marks.push(Mark { entry: self.entry_count, byte_offset: self.end, latest_before_ms: self.latest_ms });
        }
        self.entry_count += 1;
        self.end += (HEADER_BYTES + entry_bytes) as u64;
        self.latest_ms = self.latest_ms.max(publish_time_ms);
    }

    pub(super) fn entry_count(&self) -> u64 {
        self.entry_count
    }

    pub(super) fn latest_ms(&self) -> u64 {
        self.latest_ms
    }

    /// Returns the last mark at or before an entry.
    pub(super) fn before_entry(&self, entry: u64) -> Option<Mark> {
        let after = self.marks.partition_point(|mark| mark.entry <= entry);
        self.marks.get(after.checked_sub(1)?).copied()
    }

    /// Returns an offset in the file, not before the start of the entry, at which a record starts or the segment ends.
    pub(super) fn at_or_after(&self, entry: u64) -> u64 {
        let before = self.marks.partition_point(|mark| mark.entry < entry);
        self.marks.get(before).map_or(self.end, |mark| mark.byte_offset)
    }

    /// Returns the last mark such that all entries before it were published before the time.
    pub(super) fn before_time(&self, time_ms: u64) -> Option<Mark> {
        let after = self.marks.partition_point(|mark| mark.latest_before_ms < time_ms);
        self.marks.get(after.checked_sub(1)?).copied()
    }
}

/// Where a segment starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub ledger: u64,
    /// Offset of its first entry.
    pub base: u64,
    /// The segment before it.
    pub previous: Option<Previous>,
}

/// Returns the path of a segment.
pub(super) fn path(folder: &Path, ledger: u64) -> PathBuf {
    folder.join(format!("{ledger:016x}.log"))
}

/// Creates a segment's file with its head and makes both durable.
pub(super) fn create(folder: &Path, owner: &TopicIdentity, start: &Start) -> Result<File, StorageError> {
    let path = path(folder, start.ledger);
    let mut file = bitacora_data_folder::open_private(OpenOptions::new().write(true).create_new(true), &path)
        .map_err(StorageError::io("create", &path))?;
    let head = head::encode(owner, start.ledger, start.base, start.previous);
    file.write_all(&head).map_err(StorageError::io("write", &path))?;
    file.sync_all().map_err(StorageError::io("sync", &path))?;
    sync_folder(folder)?;
    Ok(file)
}

/// An entry that was read.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub publish_time_ms: u64,
    pub entry: Bytes,
}

/// Reads at least one record from `byte_offset` on. It reads about `max_bytes` at most and stops at `end`.
pub(super) fn read_records(
    path: &Path,
    byte_offset: u64,
    end: u64,
    max_bytes: usize,
) -> Result<Vec<Found>, StorageError> {
    let file = File::open(path).map_err(StorageError::io("open", path))?;
    let left = |from: u64| usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
    let mut buffer = vec![0; max_bytes.max(64 * 1024).min(left(byte_offset))];
    let read = read_up_to(&file, path, &mut buffer, byte_offset)?;
    buffer.truncate(read);
    if let Parsed::Short(needed) = parse(&buffer, 0) {
        if needed > left(byte_offset) {
            return Err(corrupt(path, byte_offset, "the file ends inside a record"));
        }
        buffer.resize(needed, 0);
        let read = read_up_to(&file, path, &mut buffer, byte_offset)?;
        buffer.truncate(read);
    }
    let buffer = Bytes::from(buffer);
    let (mut at, mut found) = (0, Vec::new());
    while at < buffer.len() {
        match parse(&buffer, at) {
            Parsed::Whole(header, range) => {
                at = range.end;
                found.push(Found { publish_time_ms: header.publish_time_ms, entry: buffer.slice(range) });
            }
            // The record may be half written at this moment. A caller that needs it reads again from here and then gets
            // the error.
            Parsed::Short(_) | Parsed::Bad(_) if !found.is_empty() => break,
            Parsed::Short(_) => return Err(corrupt(path, byte_offset, "the file ends inside a record")),
            Parsed::Bad(reason) => return Err(corrupt(path, byte_offset + at as u64, reason)),
        }
    }
    Ok(found)
}

/// Returns the header of a record. The caller writes header and entry together.
pub(super) fn encode(entry: &[u8], publish_time_ms: u64, message_count: u32) -> [u8; HEADER_BYTES] {
    Header::of(entry, publish_time_ms, message_count).encode()
}
