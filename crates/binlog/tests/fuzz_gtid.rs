//! Fuzz targets: GTID sets as text and in the binary form; what is read prints to something that reads back the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod mutate;

use bitacora_binlog::gtid::{GtidSet, MariadbGtidSet, MysqlGtidSet};
use mutate::fuzz;

const TEXTS: [&str; 5] = [
    "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7-9223372036854775806",
    "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:tag_1:2:4-6,4350f323-7565-4e59-8763-4b1b83a0ce0e:3",
    "{3e11fa47-71ca-11e1-9e33-c80aa9429562}:1 , 4350f32375654e5987634b1b83a0ce0e:b:1-3:c:1",
    "0-1-100,1-2-7,0-3-90",
    "4294967295-4294967295-18446744073709551615",
];

#[test]
fn text() {
    let corpus: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    fuzz(&corpus, |_, input| {
        let text = String::from_utf8_lossy(input);
        if let Ok(set) = text.parse::<GtidSet>() {
            assert_eq!(set.to_string().parse::<GtidSet>().unwrap().is_empty(), set.is_empty());
        }
        if let Ok(set) = text.parse::<MysqlGtidSet>() {
            assert_eq!(set.to_string().parse::<MysqlGtidSet>().unwrap(), set);
        }
        if let Ok(set) = text.parse::<MariadbGtidSet>() {
            assert_eq!(set.to_string().parse::<MariadbGtidSet>().unwrap(), set);
        }
    });
}

#[test]
fn binary() {
    let sets = TEXTS.iter().filter_map(|text| text.parse::<MysqlGtidSet>().ok());
    let corpus: Vec<Vec<u8>> = sets
        .map(|set| {
            let mut bytes = Vec::new();
            set.encode(&mut bytes);
            bytes
        })
        .collect();
    fuzz(&corpus, |_, input| {
        if let Ok(set) = MysqlGtidSet::decode(input) {
            let mut bytes = Vec::new();
            set.encode(&mut bytes);
            assert_eq!(MysqlGtidSet::decode(&bytes).unwrap(), set);
        }
    });
}
