//! What a log looks like when it is opened.
//!
//! Only the last segment may end torn: its tail is cut at the first record that is not whole. A bad record with sound
//! ones behind it is no torn write but damage, and is reported instead of cut: what was receipted must not vanish
//! silently. Of the segments before the last one, owner, order and length are checked; their records when they are
//! read.

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

/// A segment found on the disk.
#[derive(Debug, Clone)]
pub(super) struct FoundSegment {
    pub ledger: u64,
    pub base: u64,
    pub entry_count: u64,
    /// Bytes of its file.
    pub bytes: u64,
    /// Bytes before the first record.
    pub head_bytes: u64,
    /// Known for the last one; the others are scanned when they are first read.
    pub index: Option<Index>,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    pub segments: Vec<FoundSegment>,
    /// Damage that does not keep the log from being opened: the entries concerned cannot be read.
    pub damage: Vec<StorageError>,
}

/// Lists and repairs the segments of a folder.
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
            // The broker died while it created the file; nothing can be in it.
            fs::remove_file(&path).map_err(StorageError::io("remove", &path))?;
            break;
        };
        require_owner(&path, &head, known)?;
        bitacora_data_folder::tighten(&path);
        if let Some(previous) = found.segments.last_mut() {
            previous.entry_count = head
                .base
                .checked_sub(previous.base)
                .ok_or_else(|| corrupt(&path, 0, "it starts before the segment in front of it"))?;
        }
        found.damage.extend(before(folder, &head, found.segments.last()));
        let bytes = fs::metadata(&path).map_err(StorageError::io("inspect", &path))?.len();
        let (base, head_bytes) = (head.base, head.bytes);
        found.segments.push(FoundSegment { ledger: *ledger, base, entry_count: 0, bytes, head_bytes, index: None });
    }
    if let Some(last) = found.segments.last_mut() {
        let path = segment::path(folder, last.ledger);
        let index = scan(&path, last.head_bytes, Tail::Cut)?;
        // A broker that was killed may have written what it never synced. From here on it counts as durable.
        File::open(&path).and_then(|file| file.sync_all()).map_err(StorageError::io("sync", &path))?;
        last.entry_count = index.entry_count();
        last.bytes = index.end;
        last.index = Some(index);
    }
    Ok(found)
}

/// Refuses a segment of another topic, or of another life of this one.
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

/// Compares what a head says of the segment in front of it with what is there.
fn before(folder: &Path, head: &Head, previous: Option<&FoundSegment>) -> Option<StorageError> {
    let found = previous.map(|previous| Previous { ledger: previous.ledger, bytes: previous.bytes });
    match (head.previous, found) {
        (None, None) => {
            let damage = || corrupt(&segment::path(folder, head.ledger), 0, "the segments in front of it are missing");
            (head.base > 0).then(damage)
        }
        // A head of the first version does not say what is in front of it.
        (None, _) if head.owner.is_none() => None,
        (said, found) if said == found => None,
        (Some(said), Some(found)) if said.ledger == found.ledger => {
            let path = segment::path(folder, found.ledger);
            Some(corrupt(&path, found.bytes.min(said.bytes), "it does not have the length that it was closed with"))
        }
        (Some(said), _) => Some(corrupt(&segment::path(folder, said.ledger), 0, "it is missing")),
        (None, Some(found)) => {
            Some(corrupt(&segment::path(folder, found.ledger), 0, "it does not belong in front of the next segment"))
        }
    }
}

/// Lists the numbers of a folder's segments.
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

/// What to do about an incomplete record at the end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Cut it off.
    Cut,
    /// Report it.
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
                // Not at the end of the file: look at a window that starts here and is long enough.
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

/// Cuts what lies behind the index, unless a sound record is in it.
fn cut(read: &File, path: &Path, index: Index, tail: Tail, reason: &'static str) -> Result<Index, StorageError> {
    let length = read.metadata().map_err(StorageError::io("inspect", path))?.len();
    if tail == Tail::Report || damage::sound_record(read, path, index.end + 1, length)?.is_some() {
        return Err(corrupt(path, index.end, reason));
    }
    tracing::warn!(file = %path.display(), byte_offset = index.end, reason, "the last write was torn; cut");
    let file = OpenOptions::new().write(true).open(path).map_err(StorageError::io("open", path))?;
    file.set_len(index.end).map_err(StorageError::io("cut", path))?;
    file.sync_all().map_err(StorageError::io("sync", path))?;
    Ok(index)
}
