//! Reads and repairs the segments of a log when it is opened.
//!
//! Only the last segment may end with a torn write: its tail is cut at the first record that is not whole. A bad record
//! with sound records after it is damage, not a torn write. It is reported instead of cut, because an entry whose
//! receipt was sent must not vanish silently. Of the earlier segments only owner, order and length are checked here;
//! their records are checked when they are read.

use std::{
    fs::{self, File, OpenOptions},
    path::Path,
};

use super::{
    KnownLog, StorageError, damage,
    error::corrupt,
    file::read_up_to,
    head::{self, Head, Previous},
    record::{Parsed, parse},
    segment::{self, Index},
};

const SCAN_BYTES: usize = 4 * 1024 * 1024;

/// A segment that was found on the disk.
#[derive(Debug, Clone)]
pub(super) struct FoundSegment {
    pub ledger: u64,
    pub base: u64,
    pub entry_count: u64,
    /// Size of its file.
    pub bytes: u64,
    /// Size of the head, which is before the first record.
    pub head_bytes: u64,
    /// Set for the last segment; the others are scanned when they are first read.
    pub index: Option<Index>,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    pub segments: Vec<FoundSegment>,
    /// Damage with which the log can still be opened; the damaged entries cannot be read.
    pub damage: Vec<StorageError>,
}

/// Returns the segments of a folder, after it has repaired the last one.
pub(super) fn recover(folder: &Path, known: &KnownLog) -> Result<Recovered, StorageError> {
    let mut ledgers = list(folder)?;
    ledgers.sort_unstable();
    let mut found = Recovered::default();
    for (i, ledger) in ledgers.iter().enumerate() {
        let path = segment::path(folder, *ledger);
        let is_last = i + 1 == ledgers.len();
        let Some(head) = head::read(&path, *ledger)? else {
            if !is_last {
                return Err(corrupt(&path, 0, "the head is incomplete"));
            }
            // The broker ended while it created the file, so the file has no entries.
            fs::remove_file(&path).map_err(StorageError::io("remove", &path))?;
            break;
        };
        require_owner(&path, &head, known)?;
        bitacora_data_folder::tighten(&path);
        if let Some(previous) = found.segments.last_mut() {
            previous.entry_count = head
                .base
                .checked_sub(previous.base)
                .ok_or_else(|| corrupt(&path, 0, "it starts before the previous segment"))?;
        }
        found.damage.extend(before(folder, &head, found.segments.last()));
        let bytes = fs::metadata(&path).map_err(StorageError::io("inspect", &path))?.len();
        let (base, head_bytes) = (head.base, head.bytes);
        found.segments.push(FoundSegment { ledger: *ledger, base, entry_count: 0, bytes, head_bytes, index: None });
    }
    if let Some(last) = found.segments.last_mut() {
        let path = segment::path(folder, last.ledger);
        let index = scan(&path, last.head_bytes, Tail::Cut)?;
        // A broker that was killed may have written records that it never synced. After this they count as durable.
        File::open(&path).and_then(|file| file.sync_all()).map_err(StorageError::io("sync", &path))?;
        last.entry_count = index.entry_count();
        last.bytes = index.end;
        last.index = Some(index);
    }
    Ok(found)
}

/// Refuses a segment of another topic, or of a deleted topic of the same name.
fn require_owner(path: &Path, head: &Head, known: &KnownLog) -> Result<(), StorageError> {
    let is_own = match &head.owner {
        Some(owner) => *owner == known.identity,
        None => head.ledger < known.adopted_below,
    };
    if is_own {
        return Ok(());
    }
    Err(StorageError::OtherTopic {
        path: path.to_owned(),
        named: head.owner.as_ref().map_or_else(|| "no topic".to_owned(), ToString::to_string),
        wanted: known.identity.to_string(),
    })
}

/// Compares what a head says about the previous segment with the segment on the disk.
fn before(folder: &Path, head: &Head, previous: Option<&FoundSegment>) -> Option<StorageError> {
    let found = previous.map(|previous| Previous { ledger: previous.ledger, bytes: previous.bytes });
    match (head.previous, found) {
        (None, None) => {
            let damage = || corrupt(&segment::path(folder, head.ledger), 0, "the segments before it are missing");
            (head.base > 0).then(damage)
        }
        // A head of the first version does not name the previous segment.
        (None, _) if head.owner.is_none() => None,
        (said, found) if said == found => None,
        (Some(said), Some(found)) if said.ledger == found.ledger => {
            let path = segment::path(folder, found.ledger);
            Some(corrupt(&path, found.bytes.min(said.bytes), "its length is not the one with which it was closed"))
        }
        (Some(said), _) => Some(corrupt(&segment::path(folder, said.ledger), 0, "it is missing")),
        (None, Some(found)) => {
            Some(corrupt(&segment::path(folder, found.ledger), 0, "it does not belong before the next segment"))
        }
    }
}

/// Returns the numbers of a folder's segments.
pub(super) fn list(folder: &Path) -> Result<Vec<u64>, StorageError> {
    let mut ledgers = Vec::new();
    for entry in fs::read_dir(folder).map_err(StorageError::io("list", folder))? {
        let name = entry.map_err(StorageError::io("list", folder))?.file_name();
        let number = name.to_str().and_then(|n| n.strip_suffix(".log")).map(|n| u64::from_str_radix(n, 16));
        if let Some(Ok(ledger)) = number {
            ledgers.push(ledger);
        }
    }
    Ok(ledgers)
}

/// What to do with an incomplete record at the end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Cuts it off.
    Cut,
    /// Reports it.
    Report,
}

/// Reads a whole segment and builds its index.
pub(super) fn scan(path: &Path, head_bytes: u64, tail: Tail) -> Result<Index, StorageError> {
    let file = File::open(path).map_err(StorageError::io("open", path))?;
    let length = file.metadata().map_err(StorageError::io("inspect", path))?.len();
    let mut index = Index::new(head_bytes);
    let mut buffer = vec![0; SCAN_BYTES];
    let mut wanted = SCAN_BYTES;
    'file: while index.end < length {
        buffer.resize(wanted.max(SCAN_BYTES), 0);
        let read = read_up_to(&file, path, &mut buffer, index.end)?;
        let window = buffer.get(..read).unwrap_or_default();
        let mut at = 0;
        loop {
            match parse(window, at) {
                Parsed::Whole(header, range) => {
                    index.add(header.entry_bytes as usize, header.publish_time_ms);
                    at = range.end;
                }
                // The file has the whole record: continue with a window that starts here and is long enough.
                Parsed::Short(needed) if index.end + needed as u64 <= length => {
                    wanted = needed;
                    continue 'file;
                }
                Parsed::Short(_) if index.end == length => break 'file,
                Parsed::Short(_) => return cut(&file, path, index, tail, "the file ends inside a record"),
                Parsed::Bad(reason) => return cut(&file, path, index, tail, reason),
            }
        }
    }
    Ok(index)
}

/// Cuts the bytes after the last indexed record, unless there is a sound record among them.
fn cut(read: &File, path: &Path, index: Index, tail: Tail, reason: &'static str) -> Result<Index, StorageError> {
    let length = read.metadata().map_err(StorageError::io("inspect", path))?.len();
    if tail == Tail::Report || damage::sound_record(read, path, index.end + 1, length)?.is_some() {
        return Err(corrupt(path, index.end, reason));
    }
    tracing::warn!(file = %path.display(), byte_offset = index.end, reason,
        "the last write was torn; its incomplete record was cut off");
    let file = OpenOptions::new().write(true).open(path).map_err(StorageError::io("open", path))?;
    file.set_len(index.end).map_err(StorageError::io("cut", path))?;
    file.sync_all().map_err(StorageError::io("sync", path))?;
    Ok(index)
}
