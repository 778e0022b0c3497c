use std::fs;

use bytes::Bytes;

use super::*;

fn known(name: &str, incarnation: u128) -> KnownLog {
    let identity = TopicIdentity { name: name.to_owned(), incarnation };
    KnownLog { identity, adopted_below: 0, durable: DurableEnd::default() }
}

fn append(log: &TopicLog, count: usize) {
    for i in 0..count {
        let bytes = Bytes::from(format!("entry {i}"));
        log.append(Record { bytes, publish_time_ms: 1, message_count: 1 }).unwrap();
    }
}

/// Writes the log of topic number 0, with one segment for each count of entries.
fn written(folder: &tempfile::TempDir, counts: &[usize]) -> Vec<std::path::PathBuf> {
    for count in counts {
        let directory = DataDirectory::open(folder.path()).unwrap();
        append(&directory.open_log(0, known("t", 7)).unwrap(), *count);
        directory.close();
    }
    let files = fs::read_dir(folder.path().join("topics/0000000000000000")).unwrap();
    let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths
}

fn open(folder: &tempfile::TempDir, known: KnownLog) -> Result<TopicLog, StorageError> {
    DataDirectory::open(folder.path()).unwrap().open_log(0, known)
}

/// Numbers of topics were once used again, so that a public topic showed the messages of another one.
#[test]
fn a_log_of_another_topic_or_of_another_life_of_it_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    written(&folder, &[3]);
    assert_eq!(open(&folder, known("t", 7)).unwrap().end(), 3);
    for other in [known("public-page", 7), known("t", 8)] {
        let error = open(&folder, other).unwrap_err();
        assert!(matches!(error, StorageError::OtherTopic { .. }), "{error}");
    }
}

#[test]
fn a_segment_of_another_log_in_the_folder_is_noticed() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let own = written(&folder, &[3]);
    {
        let directory = DataDirectory::open(other.path()).unwrap();
        append(&directory.open_log(0, known("other", 9)).unwrap(), 1);
        directory.close();
    }
    let foreign = fs::read_dir(other.path().join("topics/0000000000000000")).unwrap().next().unwrap().unwrap().path();
    fs::copy(&foreign, own[0].with_file_name(foreign.file_name().unwrap())).unwrap();
    assert!(matches!(open(&folder, known("t", 7)).unwrap_err(), StorageError::OtherTopic { .. }));
}

/// An earlier version wrote heads of 32 bytes, which name no topic.
#[test]
fn segments_of_the_first_version_are_read_where_they_were_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, &[2]).remove(0);
    let ledger = u64::from_str_radix(path.file_stem().unwrap().to_str().unwrap(), 16).unwrap();
    let bytes = fs::read(&path).unwrap();
    let records = &bytes[usize::try_from(head::length(&known("t", 7).identity)).unwrap()..];
    let mut old = b"BITALOG1".to_vec();
    old.extend_from_slice(&ledger.to_le_bytes());
    old.extend_from_slice(&0u64.to_le_bytes());
    old.extend_from_slice(&crc32c::crc32c(&old).to_le_bytes());
    old.resize(32, 0);
    old.extend_from_slice(records);
    fs::write(&path, old).unwrap();
    assert!(matches!(open(&folder, known("t", 7)).unwrap_err(), StorageError::OtherTopic { .. }));
    let adopted = || KnownLog { adopted_below: ledger + 1, ..known("t", 7) };
    let directory = DataDirectory::open(folder.path()).unwrap();
    assert_eq!(directory.inspect(0).unwrap(), FoundFolder::Nameless(ledger + 1));
    let log = directory.open_log(0, adopted()).unwrap();
    assert_eq!((log.end(), log.damage().len()), (2, 0));
    append(&log, 1);
    directory.close();
    drop((log, directory));
    let log = open(&folder, adopted()).unwrap();
    assert_eq!((log.end(), log.damage().len()), (3, 0), "with a segment of this version after it");
}

/// Opening a log reports every loss, of entries or of whole segments.
#[test]
fn a_log_that_lost_a_segment_or_a_part_of_one_says_so() {
    let check = |name: &str, harm: &dyn Fn(&[std::path::PathBuf]), lost, damage| {
        let folder = tempfile::tempdir().unwrap();
        harm(&written(&folder, &[3, 4, 5]));
        let directory = DataDirectory::open(folder.path()).unwrap();
        let durable = DurableEnd { ledger: 1 << 50, offset: 12 };
        let log = directory.open_log(0, KnownLog { durable, ..known("t", 7) }).unwrap();
        assert_eq!((log.lost(), log.damage().len()), (lost, damage), "{name}: {:?}", log.damage());
        append(&log, 1);
        assert!(log.position(log.end() - 1).ledger > 1 << 50, "{name}: a number was given again");
    };
    let halved = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() - 40]).unwrap();
    };
    let zeroed = |path: &std::path::PathBuf| {
        let mut bytes = fs::read(path).unwrap();
        let from = bytes.len() - 40;
        bytes[from..].fill(0);
        fs::write(path, bytes).unwrap();
    };
    check("nothing", &|_| {}, 0, 0);
    check("zeros at the end of the newest", &|paths| zeroed(&paths[2]), 2, 0);
    check("a newest segment of zeros", &|paths| fs::write(&paths[2], vec![0; 500]).unwrap(), 5, 0);
    check("an empty newest segment", &|paths| fs::write(&paths[2], b"").unwrap(), 5, 0);
    check("the newest segment", &|paths| fs::remove_file(&paths[2]).unwrap(), 5, 0);
    check("the two newest", &|paths| paths[1..].iter().for_each(|path| fs::remove_file(path).unwrap()), 9, 0);
    check("all", &|paths| fs::remove_dir_all(paths[0].parent().unwrap()).unwrap(), 12, 0);
    check("half of the newest", &|paths| halved(&paths[2]), 2, 0);
    check("the middle one", &|paths| fs::remove_file(&paths[1]).unwrap(), 0, 1);
    check("the first one", &|paths| fs::remove_file(&paths[0]).unwrap(), 0, 1);
    check("half of the middle one", &|paths| halved(&paths[1]), 0, 1);
}

#[test]
fn logs_without_metadata_are_refused_and_empty_metadata_are_damage() {
    let folder = tempfile::tempdir().unwrap();
    written(&folder, &[3]);
    let path = folder.path().join("metadata.redb");
    fs::remove_file(&path).unwrap();
    let error = DataDirectory::open(folder.path()).unwrap_err();
    assert!(matches!(error, StorageError::MissingMetadata { count: 1, .. }), "{error}");
    assert!(!path.exists(), "the next start must refuse as well");
    fs::write(&path, b"").unwrap();
    let error = DataDirectory::open(folder.path()).unwrap_err();
    assert!(matches!(error, StorageError::DamagedMetadata { .. }), "{error}");
}

#[test]
fn everything_in_the_folder_is_closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let segment = written(&folder, &[1]).remove(0);
    let files = [segment.clone(), folder.path().join("LOCK"), folder.path().join("metadata.redb")];
    for path in &files {
        assert_eq!(mode(path), 0o600, "{}", path.display());
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    for folder in [segment.parent().unwrap(), folder.path(), &folder.path().join("topics")] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    open(&folder, known("t", 7)).unwrap();
    assert_eq!(files.map(|path| mode(&path)), [0o600; 3], "what an earlier version left is tightened");
    assert_eq!((mode(segment.parent().unwrap()), mode(folder.path())), (0o700, 0o700));
}
