//! Golden log files: reading, and splitting into events.

use std::{io::Read, path::Path};

/// Reads `tests/golden/<name>.gz`.
pub fn golden(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.gz"));
    let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut plain).unwrap();
    plain
}

/// Splits a file into its events and their positions.
pub fn events(file: &[u8]) -> Vec<(usize, &[u8])> {
    assert_eq!(&file[..4], b"\xfebin");
    let mut at = 4;
    let mut events = Vec::new();
    while at < file.len() {
        let length = u32::from_le_bytes(file[at + 9..at + 13].try_into().unwrap()) as usize;
        events.push((at, &file[at..at + length]));
        at += length;
    }
    events
}
