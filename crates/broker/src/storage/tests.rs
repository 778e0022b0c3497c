use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::mpsc,
};

use bytes::Bytes;

use super::*;

fn append(log: &TopicLog, texts: &[&str]) {
    for (i, text) in texts.iter().enumerate() {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        log.append(Record { bytes, publish_time_ms: 1_000 + i as u64, message_count: 1 }).unwrap();
    }
}

fn texts(runtime: &tokio::runtime::Runtime, log: &TopicLog, from: u64) -> Vec<String> {
    let (mut next, mut out) = (from, Vec::new());
    loop {
        let read = runtime.block_on(log.read(next, log.durable_end(), 40)).unwrap();
        let Some((last, _)) = read.last() else { return out };
        next = last + 1;
        out.extend(read.iter().map(|(_, entry)| String::from_utf8(entry.to_vec()).unwrap()));
    }
}

fn known() -> KnownLog {
    let identity = TopicIdentity { name: "t".to_owned(), incarnation: 7 };
    KnownLog { identity, adopted_below: 0, durable: DurableEnd::default() }
}

/// Returns the segment files of the only topic, oldest first.
fn segments(folder: &tempfile::TempDir) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.path().join("topics/0000000000000000")).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths
}

fn head_bytes() -> u64 {
    head::length(&known().identity)
}

/// Writes these entries to a log, closes it, and returns the folder's only segment.
fn written(folder: &tempfile::TempDir, entries: &[&str]) -> PathBuf {
    let directory = DataDirectory::open(folder.path()).unwrap();
    append(&directory.open_log(0, known()).unwrap(), entries);
    directory.close();
    segments(folder).pop().unwrap()
}

fn reopened(folder: &tempfile::TempDir) -> Result<Vec<String>, StorageError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let directory = DataDirectory::open(folder.path()).unwrap();
    let log = directory.open_log(0, known())?;
    Ok(texts(&runtime, &log, 0))
}

#[test]
fn entries_are_durable_when_the_callback_says_so_and_come_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let directory = DataDirectory::open(folder.path()).unwrap();
    let log = directory.open_log(0, known()).unwrap();
    let (told, ends) = mpsc::channel();
    let told = std::sync::Mutex::new(told);
    log.on_durable(Box::new(move |end| told.lock().unwrap().send(end.unwrap()).unwrap()));
    append(&log, &["a", "b", "c"]);
    while ends.recv().unwrap() < 3 {}
    assert_eq!(log.durable_end(), 3);
    drop((log, directory));
    assert_eq!(reopened(&folder).unwrap(), ["a", "b", "c"]);
}

#[test]
fn ids_grow_over_restarts_and_translate_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    written(&folder, &["a", "b"]);
    let directory = DataDirectory::open(folder.path()).unwrap();
    let log = directory.open_log(0, known()).unwrap();
    append(&log, &["c"]);
    let ids: Vec<(u64, u64)> = (0..4).map(|o| log.position(o)).map(|p| (p.ledger, p.entry)).collect();
    let (first, second) = (ids[0].0, ids[2].0);
    assert!(first < second);
    assert_eq!(ids, [(first, 0), (first, 1), (second, 0), (second, 1)]);
    let at = |ledger, entry| Position { ledger, entry };
    assert_eq!(
        [(first, 1), (first, 2), (second, 0), (second + 1, 0)].map(|(l, e)| log.offset(at(l, e))),
        [Some(1), None, Some(2), None]
    );
    let places = [(0, 0), (first, 9), (second, 0), (second, 9), (second + 7, 0)];
    assert_eq!(places.map(|(l, e)| log.offset_at_or_after(at(l, e))), [0, 2, 2, 3, 3]);
    assert_eq!(places.map(|(l, e)| log.is_after_end(at(l, e))), [false, false, false, true, true]);
}

#[test]
fn a_torn_tail_is_cut_wherever_it_breaks() {
    for cut in 1..24 {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder, &["first", "last"]);
        let length = fs::metadata(&path).unwrap().len();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(length - cut).unwrap();
        assert_eq!(reopened(&folder).unwrap(), ["first"], "{cut} bytes cut");
        assert_eq!(reopened(&folder).unwrap(), ["first"], "opened a second time");
    }
}

#[test]
fn garbage_behind_the_last_record_is_cut() {
    for garbage in [vec![0; 100], vec![0xff; 100], b"\x05\0\0\0garbage that looks like a short record".to_vec()] {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder, &["first", "last"]);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&garbage).unwrap();
        assert_eq!(reopened(&folder).unwrap(), ["first", "last"]);
    }
}

#[test]
fn damage_before_sound_records_is_reported_with_file_and_byte_and_nothing_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, &["first", "second", "third"]);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(6).position(|w| w == b"second").unwrap();
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = reopened(&folder).unwrap_err();
    let expected = head_bytes() + (record::HEADER_BYTES + 5) as u64;
    assert!(matches!(&error, StorageError::Corrupt { byte_offset, .. } if *byte_offset == expected), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

/// Damages the second of three records with entries of these sizes. Expects a report at its start and an uncut file.
fn check_damage_is_reported(sizes: [usize; 3], damage: impl Fn(&mut [u8])) {
    let folder = tempfile::tempdir().unwrap();
    let entries = sizes.map(|size| "x".repeat(size));
    let path = written(&folder, &entries.each_ref().map(String::as_str));
    let mut bytes = fs::read(&path).unwrap();
    let at = usize::try_from(head_bytes()).unwrap() + record::HEADER_BYTES + sizes[0];
    damage(&mut bytes[at..]);
    fs::write(&path, &bytes).unwrap();
    let error = reopened(&folder).map(|left| format!("only {} of 3 entries left", left.len())).unwrap_err();
    assert!(matches!(&error, StorageError::Corrupt { byte_offset, .. } if *byte_offset == at as u64), "{error}");
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_length_that_points_behind_the_end_does_not_cut_sound_records() {
    check_damage_is_reported([5, 6, 5], |record| record[2] ^= 1);
}

#[test]
fn an_impossible_length_of_a_large_record_does_not_cut_sound_records() {
    check_damage_is_reported([5, 100_000, 5], |record| record[3] = 0xff);
}

#[test]
fn damage_before_a_sound_record_that_the_window_does_not_hold_does_not_cut_it() {
    check_damage_is_reported([5, 3 << 20, 3 << 20], |record| record[1_000] ^= 1);
}

#[test]
fn damage_in_a_record_as_long_as_the_window_does_not_cut_the_next() {
    check_damage_is_reported([5, 5 << 20, 5], |record| record[1_000] ^= 1);
}

#[test]
fn damage_in_a_sealed_segment_is_reported_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, &["first"]);
    {
        let directory = DataDirectory::open(folder.path()).unwrap();
        append(&directory.open_log(0, known()).unwrap(), &["second"]);
    }
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let directory = DataDirectory::open(folder.path()).unwrap();
    let log = directory.open_log(0, known()).unwrap();
    assert_eq!(texts(&runtime, &log, 1), ["second"]);
    assert!(matches!(runtime.block_on(log.read(0, 2, 100)), Err(StorageError::Corrupt { .. })));
}

#[test]
fn a_time_finds_the_first_entry_published_then_or_later() {
    let folder = tempfile::tempdir().unwrap();
    written(&folder, &["a", "b", "c"]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let directory = DataDirectory::open(folder.path()).unwrap();
    let log = directory.open_log(0, known()).unwrap();
    let found = [0, 1_000, 1_001, 1_002, 1_003].map(|t| runtime.block_on(log.offset_at_time(t)).unwrap());
    assert_eq!(found, [0, 0, 1, 2, 3]);
}

/// Writes a log of `count` segments with three entries each. Those of segment `i` are published at 10 · i ms and at the
/// two milliseconds after it.
fn with_segments(folder: &tempfile::TempDir, count: u64) {
    for i in 0..count {
        let directory = DataDirectory::open(folder.path()).unwrap();
        let log = directory.open_log(0, known()).unwrap();
        for publish_time_ms in 10 * i..10 * i + 3 {
            let bytes = Bytes::from(format!("entry of {publish_time_ms}"));
            log.append(Record { bytes, publish_time_ms, message_count: 1 }).unwrap();
        }
        directory.close();
    }
}

/// A seek by time once read every byte of a log of hundreds of gigabytes. Meanwhile the client's connection was closed
/// as silent.
#[test]
fn a_time_is_found_without_reading_the_segments_before_it() {
    let folder = tempfile::tempdir().unwrap();
    with_segments(&folder, 6);
    // A read of the last entry of one of these segments would fail.
    let paths = segments(&folder);
    for path in [0, 1, 2, 4].map(|segment| &paths[segment]) {
        let mut bytes = fs::read(path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, &bytes).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let directory = DataDirectory::open(folder.path()).unwrap();
    let log = directory.open_log(0, known()).unwrap();
    let found = [0, 31, 32, 33, 51, 53].map(|time| runtime.block_on(log.offset_at_time(time)).unwrap());
    assert_eq!(found, [0, 10, 11, 12, 16, 18]);
    assert!(matches!(runtime.block_on(log.offset_at_time(42)), Err(StorageError::Corrupt { .. })));
}

#[test]
fn a_log_of_many_segments_keeps_few_of_their_indexes() {
    let folder = tempfile::tempdir().unwrap();
    with_segments(&folder, 36);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let directory = DataDirectory::open(folder.path()).unwrap();
    let log = directory.open_log(0, known()).unwrap();
    assert_eq!(texts(&runtime, &log, 0).len(), 108);
    assert_eq!(log.index_count(), 32);
    append(&log, &["growing"]);
    assert_eq!((log.index_count(), texts(&runtime, &log, 0).first().unwrap().as_str()), (33, "entry of 0"));
}

#[test]
fn many_entries_are_read_from_the_file_through_the_sparse_index() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<String> = (0..3_000).map(|i| format!("{i}-{}", "x".repeat(i % 700))).collect();
    written(&folder, &all.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(reopened(&folder).unwrap(), all);
}

#[test]
fn a_second_broker_is_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let _held = DataDirectory::open(folder.path()).unwrap();
    assert!(matches!(DataDirectory::open(folder.path()), Err(StorageError::Locked(_))));
}

#[test]
fn metadata_changes_are_kept_and_listed_by_their_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metadata.redb");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    {
        let store = Store::open(&path).unwrap();
        for (name, number) in [("t", 1u64), ("t\0s", 2), ("tt", 3)] {
            runtime.block_on(store.put(key(&["cursor", name]), &number)).unwrap();
        }
        runtime.block_on(store.apply(vec![(key(&["cursor", "tt"]), None)])).unwrap();
    }
    let store = Store::open(&path).unwrap();
    assert_eq!(store.list::<u64>(&["cursor", "t"]).unwrap(), vec![("s".to_owned(), 2)]);
    assert_eq!(store.get::<u64>(&key(&["cursor", "tt"])).unwrap(), None);
}

#[test]
fn a_crash_while_the_metadata_file_was_made_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("metadata.new"), b"half a database").unwrap();
    Store::open(&folder.path().join("metadata.redb")).unwrap();
    assert!(folder.path().join("metadata.redb").exists() && !folder.path().join("metadata.new").exists());
}
