//! GTID sets of both servers against a model (a set of single ids), as text, and in the form of the dump command.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod log;

use bitacora_binlog::{
    Body, Decoder, Error,
    gtid::{GtidSet, Interval, MariadbGtid, MariadbGtidSet, MysqlGtidSet, Tag, Uuid},
};
use log::{events, golden};
use proptest::prelude::*;
use std::collections::BTreeSet;

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4350f323-7565-4e59-8763-4b1b83a0ce0e";

fn mysql(text: &str) -> MysqlGtidSet {
    text.parse().unwrap()
}

fn check_text(text: &str, expected: &str) {
    assert_eq!(mysql(text).to_string(), expected);
    let mut bytes = Vec::new();
    mysql(text).encode(&mut bytes);
    assert_eq!(MysqlGtidSet::decode(&bytes).unwrap(), mysql(text), "{text}");
}

#[test]
fn mysql_text_is_read_and_printed() {
    check_text("", "");
    check_text(&format!("{A}:1-5"), &format!("{A}:1-5"));
    check_text(&format!(" {A} : 1 - 5 : 7 ,\n{B}:3"), &format!("{A}:1-5:7,{B}:3"));
    check_text(&format!("{A}:3-4:1-2:6"), &format!("{A}:1-4:6"));
    check_text(&format!("{A}:5-3:9"), &format!("{A}:9"));
}

#[test]
fn mysql_tags_are_read_and_printed() {
    check_text(&format!("{A}:1-5:Alpha:2:4-6"), &format!("{A}:1-5:alpha:2:4-6"));
    check_text(&format!("{A}:b_1:1,{A}:a:3,{A}:9"), &format!("{A}:9:a:3:b_1:1"));
    check_text(&format!("{A}:tag:1,{B}:1-2"), &format!("{A}:tag:1,{B}:1-2"));
}

#[test]
fn wrong_text_is_refused() {
    for text in [
        "x",
        A,
        &format!("{A}:"),
        &format!("{A}:0"),
        &format!("{A}:1-"),
        &format!("{A}:1-2-3"),
        &format!("{A}:1:tag"),
        &format!("{A}:ta-g:1"),
        &format!("{A}:{}:1", "t".repeat(33)),
        &format!("{A}:9223372036854775807"),
        &format!("{A}:18446744073709551616"),
        "3e11fa47-71ca-11e1-9e33-c80aa942956:1",
        "3e11fa4771ca-11e1-9e33-c80aa9429562-:1",
        "日本語:1",
    ] {
        let error = text.parse::<MysqlGtidSet>().unwrap_err();
        assert!(matches!(error, Error::Gtid { .. }), "{text}: {error}");
    }
    for text in ["1", "1-2", "1-2-3-4", "1-2-x", "-1-2-3", "4294967296-1-1", "+1-1-1"] {
        assert!(text.parse::<MariadbGtidSet>().is_err(), "{text}");
    }
}

#[test]
fn the_greatest_numbers_do_not_overflow() {
    let set = mysql(&format!("{A}:1-9223372036854775806"));
    assert_eq!(set.count(), i64::MAX as u64 - 1);
    assert!(set.subtract(&set).is_empty());
    let uuid: Uuid = A.parse().unwrap();
    let mut grown = MysqlGtidSet::default();
    grown.add_interval(uuid, &Tag::default(), Interval { first: 0, last: u64::MAX });
    assert_eq!(grown, set);
}

#[test]
fn the_servers_own_binary_sets_are_read_and_written_alike() {
    let mut sets = Vec::new();
    for name in ["mysql-9.7.4/binlog.000001", "mysql-9.7.4/binlog.000002", "events/mysql-9.7.4"] {
        let file = golden(name);
        let mut decoder = Decoder::new();
        for (_, event) in events(&file) {
            let body = event.get(19..event.len() - 4).unwrap();
            if let Body::PreviousGtids(gtids) = decoder.decode(event).unwrap().body {
                let set = gtids.set().unwrap();
                let mut bytes = Vec::new();
                set.encode(&mut bytes);
                assert_eq!(bytes, body, "{name}");
                sets.push(set.to_string());
            }
        }
    }
    assert_eq!(sets[0], "");
    assert_eq!(sets[1], "47cf9f11-e7d2-11f1-864a-02fc00000001:1-428:tagged:1");
    assert_eq!(sets.len(), 7);
}

#[test]
fn mariadb_positions_hold_the_newest_id_of_each_domain() {
    let mut position: MariadbGtidSet = "0-1-100, 1-2-7,0-3-90".parse().unwrap();
    assert_eq!(position.to_string(), "0-1-100,1-2-7");
    let id = |domain, server_id, sequence| MariadbGtid { domain, server_id, sequence };
    assert!(
        position.contains(&id(0, 9, 100)) && !position.contains(&id(0, 1, 101)) && !position.contains(&id(2, 1, 1))
    );
    position.add(id(0, 4, 99));
    assert_eq!(position.to_string(), "0-1-100,1-2-7");
    position.advance(id(0, 4, 99));
    assert_eq!(position.to_string(), "0-4-99,1-2-7");
    let other: MariadbGtidSet = "0-4-98,1-2-8".parse().unwrap();
    assert_eq!(position.subtract(&other).to_string(), "0-4-99");
    assert!(!position.is_subset(&other));
    position.add_set(&other);
    assert_eq!(position.to_string(), "0-4-99,1-2-8");
    assert!(other.is_subset(&position));
}

#[test]
fn the_kinds_do_not_mix() {
    let mut mysql: GtidSet = format!("{A}:1").parse().unwrap();
    let mariadb: GtidSet = "0-1-1".parse().unwrap();
    assert!(matches!(mysql.add(&mariadb), Err(Error::GtidFlavor)));
    assert!(matches!(mysql.subtract(&mariadb), Err(Error::GtidFlavor)));
    assert!(matches!(mariadb.is_subset(&mysql), Err(Error::GtidFlavor)));
    assert_eq!((mysql.to_string(), mariadb.to_string()), (format!("{A}:1"), "0-1-1".to_owned()));
}

type Model = BTreeSet<(u8, u8, u64)>;

const TAGS: [&str; 3] = ["", "alpha", "b_2"];

fn uuid(index: u8) -> Uuid {
    Uuid([index; 16])
}

fn build(runs: &[(u8, u8, u64, u64)]) -> (MysqlGtidSet, Model) {
    let (mut set, mut model) = (MysqlGtidSet::default(), Model::new());
    for &(server, tag, first, length) in runs {
        let text: Tag = TAGS[usize::from(tag)].parse().unwrap();
        set.add_interval(uuid(server), &text, Interval { first, last: first + length });
        model.extend((first..=first + length).map(|gno| (server, tag, gno)));
    }
    (set, model)
}

fn model_of(set: &MysqlGtidSet) -> Model {
    set.iter()
        .flat_map(|(uuid, tag, intervals)| {
            let tag = TAGS.iter().position(|text| *text == tag.as_str()).unwrap() as u8;
            let numbers = intervals.iter().flat_map(|interval| interval.first..=interval.last);
            numbers.map(move |gno| (uuid.0[0], tag, gno)).collect::<Vec<_>>()
        })
        .collect()
}

fn runs() -> impl Strategy<Value = Vec<(u8, u8, u64, u64)>> {
    proptest::collection::vec((0u8..3, 0u8..3, 1u64..60, 0u64..8), 0..20)
}

proptest! {
    #[test]
    fn mysql_sets_follow_the_model(a in runs(), b in runs(), gno in 1u64..70) {
        let ((a, model_a), (b, model_b)) = (build(&a), build(&b));
        prop_assert_eq!(model_of(&a), model_a.clone());
        prop_assert_eq!(a.count(), model_a.len() as u64);
        prop_assert_eq!(model_of(&a.subtract(&b)), &model_a - &model_b);
        prop_assert_eq!(a.is_subset(&b), model_a.is_subset(&model_b));
        prop_assert_eq!(a.contains(uuid(1), &Tag::default(), gno), model_a.contains(&(1, 0, gno)));
        let mut sum = a.clone();
        sum.add_set(&b);
        prop_assert_eq!(model_of(&sum), &model_a | &model_b);
        prop_assert_eq!(&sum.to_string().parse::<MysqlGtidSet>().unwrap(), &sum);
        let mut bytes = Vec::new();
        sum.encode(&mut bytes);
        prop_assert_eq!(MysqlGtidSet::decode(&bytes).unwrap(), sum);
    }

    #[test]
    fn mariadb_positions_follow_their_text(
        ids in proptest::collection::vec((0u32..4, any::<u32>(), any::<u64>()), 0..12),
    ) {
        let mut position = MariadbGtidSet::default();
        for (domain, server_id, sequence) in &ids {
            position.add(MariadbGtid { domain: *domain, server_id: *server_id, sequence: *sequence });
        }
        for (domain, server_id, sequence) in &ids {
            let id = MariadbGtid { domain: *domain, server_id: *server_id, sequence: *sequence };
            prop_assert!(position.contains(&id));
            prop_assert_eq!(id.to_string().parse::<MariadbGtid>().unwrap(), id);
        }
        prop_assert_eq!(position.to_string().parse::<MariadbGtidSet>().unwrap(), position.clone());
        prop_assert!(position.subtract(&position).is_empty());
    }
}
