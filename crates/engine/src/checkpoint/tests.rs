#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use bitacora_source::{EventMark, LogMark};

use super::{Checkpoint, CheckpointError, CheckpointStore, Epoch, FormerMarks, Save, Saved, TopicMark};
use crate::sink::Lane;

fn checkpoint(position: u64) -> Checkpoint {
    Checkpoint {
        file: "binlog.000007".into(),
        position,
        gtid: Some("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5".into()),
        logical_offset: position * 3,
        server: None,
        epoch: Some(Epoch::from_number(7)),
        log: Some(LogMark {
            file: "binlog.000007".into(),
            created: 5,
            event: Some(EventMark { start: 3, fingerprint: 9 }),
        }),
    }
}

fn save(store: &CheckpointStore, checkpoint: &Checkpoint, catalog: Option<&[u8]>, marks: &[TopicMark]) {
    let save = Save { catalog, marks, ..Save::of(checkpoint, checkpoint.position * 10_000) };
    store.save(&save, FormerMarks::Keep).unwrap();
}

fn mark(topic: &str, sequence_id: u64) -> TopicMark {
    TopicMark {
        epoch: Some(Epoch::from_number(7)),
        lane: Lane::Stream,
        topic: topic.into(),
        sequence_id,
        message: Some((1, 2)),
        topic_epoch: Some(3),
    }
}

#[test]
fn what_was_saved_is_found_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path()).unwrap();
    assert!(store.load().unwrap().is_none());
    save(&store, &checkpoint(10), Some(b"tables"), &[]);
    save(&store, &checkpoint(20), None, &[]);
    drop(store);
    let store = CheckpointStore::open(folder.path()).unwrap();
    let saved = Saved { checkpoint: checkpoint(20), catalog: Some(b"tables".to_vec()) };
    assert_eq!(store.load().unwrap(), Some(saved));
}

#[test]
fn a_second_opener_is_told_that_the_store_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let _first = CheckpointStore::open(folder.path()).unwrap();
    let error = CheckpointStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, CheckpointError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    {
        let database = redb::Database::create(folder.path().join("checkpoint.redb")).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(redb::TableDefinition::<&str, u64>::new("format")).unwrap().insert("version", 99).unwrap();
        write.commit().unwrap();
    }
    let error = CheckpointStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, CheckpointError::NewerFormat { found: 99, .. }), "{error}");
}

#[test]
fn a_crash_while_the_store_was_made_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("checkpoint.new"), b"half a database").unwrap();
    let store = CheckpointStore::open(folder.path()).unwrap();
    assert_eq!(store.load().unwrap(), None);
    assert!(!folder.path().join("checkpoint.new").exists());
}

/// A store that the first format left keeps its place, and its producers keep their names.
#[test]
fn a_store_of_the_first_format_is_read_and_becomes_one_of_this() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.redb");
    {
        let database = redb::Database::create(&path).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(redb::TableDefinition::<&str, u64>::new("format")).unwrap().insert("version", 1).unwrap();
        let text =
            br#"{"file":"binlog.000003","position":157,"gtid":null,"logical_offset":1690000000000000000,"server":"a"}"#;
        let table = redb::TableDefinition::<&str, &[u8]>::new("checkpoint");
        write.open_table(table).unwrap().insert("current", text.as_slice()).unwrap();
        write.open_table(redb::TableDefinition::<&str, &[u8]>::new("catalog")).unwrap();
        write.commit().unwrap();
    }
    let store = CheckpointStore::open(folder.path()).unwrap();
    let saved = store.load().unwrap().unwrap();
    assert_eq!((saved.checkpoint.file.as_str(), saved.checkpoint.position), ("binlog.000003", 157));
    assert_eq!((saved.checkpoint.logical_offset, saved.checkpoint.epoch), (1_690_000_000_000_000_000, None));
    store.begin_epoch(Epoch::from_number(u64::MAX), 5).unwrap();
    assert_eq!(store.epochs().unwrap().get(&Epoch::from_number(u64::MAX)), Some(&5));
    drop(store);
    let database = redb::Database::open(&path).unwrap();
    let read = redb::ReadableDatabase::begin_read(&database).unwrap();
    let version = read.open_table(redb::TableDefinition::<&str, u64>::new("format")).unwrap();
    assert_eq!(version.get("version").unwrap().unwrap().value(), 2);
}

#[test]
fn milestones_keep_the_table_descriptions_of_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path()).unwrap();
    save(&store, &checkpoint(10), Some(b"old"), &[]);
    save(&store, &checkpoint(20), Some(b"new"), &[]);
    save(&store, &checkpoint(30), None, &[]);
    drop(store);
    let store = CheckpointStore::open(folder.path()).unwrap();
    let found = store.milestones(60).unwrap();
    let found: Vec<_> =
        found.iter().map(|saved| (saved.checkpoint.position, saved.catalog.as_deref().unwrap())).collect();
    assert_eq!(found, [(20, b"new".as_slice()), (10, b"old")]);
    // Another base has none of them.
    save(&store, &Checkpoint { epoch: Some(Epoch::from_number(8)), ..checkpoint(40) }, None, &[]);
    assert_eq!(store.milestones(u64::MAX).unwrap().len(), 1);
}

#[test]
fn marks_change_one_by_one_and_a_new_snapshot_forgets_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path()).unwrap();
    save(&store, &checkpoint(10), None, &[mark("a", 1), mark("b", 2)]);
    save(&store, &checkpoint(20), None, &[mark("b", 3)]);
    assert_eq!(store.marks().unwrap(), [mark("a", 1), mark("b", 3)]);
    let next = checkpoint(30);
    let save = Save { marks: &[mark("c", 9)], ..Save::of(&next, 1) };
    store.save(&save, FormerMarks::Forget).unwrap();
    assert_eq!(store.marks().unwrap(), [mark("c", 9)]);
}
