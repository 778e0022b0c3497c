//! The core over the recorded logs, with crashes: whatever is cut off where, every message arrives once and in order.
//!
//! The sink is the model of a broker with deduplication: it keeps a message if its sequence id is above the last one of
//! its topic, and a crash loses what was not durable. A run with crashes, reconnects and restarts from the stored
//! checkpoint must leave exactly what an undisturbed run leaves.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::setup::{core_options, is_change_as_text, rules};
use crate::error::EngineError;
use crate::metrics::SourceMetrics;
use crate::pipeline::core::{Core, End, Statements};
use crate::sink::{Lane, Opened, OutgoingMessage, Sink, TopicId};
use bitacora_binlog::ChecksumAlgorithm;
use bitacora_change::outbox::{DeadLetters, OutboxOptions, OutboxRule, OutboxTables, Payload, Template, TopicRule};
use bitacora_change::{
    ColumnRules, ColumnSelection, Connector, HashVersion, Mask, MessageSchema, PatternList, SaltedHash,
};
use bitacora_source::Position;
use bitacora_testkit::recorded_log;
use proptest::prelude::*;

/// What a broker keeps over crashes of the engine.
#[derive(Debug, Default)]
struct Broker {
    topics: BTreeMap<String, Vec<Message>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    sequence_id: u64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    properties: Vec<(String, String)>,
}

/// The engine's end: messages that are not durable yet are lost with a crash.
#[derive(Debug)]
struct ModelSink {
    broker: Rc<RefCell<Broker>>,
    names: Vec<String>,
    open: BTreeSet<u32>,
    pending: Vec<(usize, Message)>,
}

impl ModelSink {
    fn make_durable(&mut self, count: usize) {
        let mut broker = self.broker.borrow_mut();
        for (topic, message) in self.pending.drain(..count.min(self.pending.len())) {
            let stored = broker.topics.entry(self.names[topic].clone()).or_default();
            if stored.last().is_none_or(|last| last.sequence_id < message.sequence_id) {
                stored.push(message);
            }
        }
    }
}

impl Sink for ModelSink {
    fn open(&mut self, _lane: Lane, topic: &str, _schema: &MessageSchema) -> Result<Opened, EngineError> {
        let index = self.names.iter().position(|name| name == topic).unwrap_or_else(|| {
            self.names.push(topic.to_owned());
            self.names.len() - 1
        });
        let index = u32::try_from(index).unwrap();
        self.open.insert(index);
        let broker = self.broker.borrow();
        let last = broker.topics.get(topic).and_then(|messages| messages.last()).map(|message| message.sequence_id);
        Ok(Opened { topic: TopicId(index), last_sequence_id: last })
    }

    fn append(&mut self, topic: TopicId, message: OutgoingMessage<'_>) -> Result<(), EngineError> {
        assert!(self.open.contains(&topic.0), "a message for a topic that is closed");
        let owned = Message {
            sequence_id: message.sequence_id,
            key: message.key.map(<[u8]>::to_vec),
            value: message.value.map(<[u8]>::to_vec),
            properties: message.properties.to_vec(),
        };
        self.pending.push((topic.0 as usize, owned));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    fn oldest_pending(&mut self) -> Result<Option<u64>, EngineError> {
        Ok(self.pending.iter().map(|(_, message)| message.sequence_id).min())
    }

    /// What was sent to the topic becomes durable; a message for it before it is opened again has nowhere to go.
    fn close(&mut self, topic: TopicId) -> Result<(), EngineError> {
        let (of_topic, rest) =
            std::mem::take(&mut self.pending).into_iter().partition(|(index, _)| *index == topic.0 as usize);
        let rest: Vec<_> = rest;
        self.pending = of_topic;
        self.make_durable(usize::MAX);
        self.pending = rest;
        assert!(self.open.remove(&topic.0), "it was open");
        Ok(())
    }

    fn finish(&mut self, _lane: Lane) -> Result<(), EngineError> {
        self.make_durable(usize::MAX);
        Ok(())
    }
}

/// A recorded log, cut into events; without the one statement that cannot be captured.
struct Log {
    events: Vec<(u64, Vec<u8>)>,
    connector: Connector,
    outboxes: Vec<OutboxRule>,
    columns: ColumnRules,
    open_topics_max: usize,
}

impl Log {
    fn recorded(server: &str, connector: Connector) -> Log {
        let log = recorded_log::unpacked(&format!("crates/binlog/tests/golden/{server}/binlog.000001.gz"));
        let kept = recorded_log::events(&log).filter(|(_, event)| !is_change_as_text(event));
        let events = kept.map(|(at, event)| (at as u64, event.to_vec())).collect();
        Log { events, connector, outboxes: Vec::new(), columns: ColumnRules::default(), open_topics_max: 1_000 }
    }

    /// The events that a server sends from a position: the format description first, then what lies behind.
    fn from(&self, offset: u64) -> impl Iterator<Item = &[u8]> {
        let format = self.events.iter().take(1).filter(move |(at, _)| *at < offset);
        let rest = self.events.iter().filter(move |(at, _)| *at >= offset);
        format.chain(rest).map(|(_, event)| event.as_slice())
    }
}

fn core(log: &Log, broker: &Rc<RefCell<Broker>>, end: Option<&End>) -> Core<ModelSink> {
    let mut rows = rules(log.connector);
    rows.plan.columns = log.columns.clone();
    rows.outboxes = log.outboxes.clone();
    rows.open_topics_max = log.open_topics_max;
    let options = core_options("log", rows, Statements::Include);
    let sink = ModelSink { broker: Rc::clone(broker), names: Vec::new(), open: BTreeSet::new(), pending: Vec::new() };
    let (position, offset, catalog) = match end {
        Some(end) => (end.position.clone(), end.logical_offset, Arc::clone(&end.catalog)),
        None => (Position::at("binlog.000001", 4), 1_000, Arc::default()),
    };
    let mut core = Core::new(options, sink, Arc::new(SourceMetrics::default()), position, offset, catalog);
    core.set_checksum(ChecksumAlgorithm::None);
    core
}

fn undisturbed(log: &Log) -> BTreeMap<String, Vec<Message>> {
    let broker = Rc::new(RefCell::new(Broker::default()));
    let mut core = core(log, &broker, None);
    for event in log.from(4) {
        core.on_event(event, 7).unwrap_or_else(|error| panic!("{error}"));
    }
    let end = core.finish().unwrap().expect("the log has transactions");
    assert_eq!(
        end.position.offset,
        log.events.last().map(|(at, event)| at + event.len() as u64).unwrap().min(end.position.offset)
    );
    broker.take().topics
}

/// One step of a disturbed run.
#[derive(Debug, Clone)]
enum Step {
    /// Read this many events.
    Read(usize),
    /// This many messages become durable.
    Durable(usize),
    /// Store the checkpoint.
    Checkpoint,
    /// The connection to the server is cut.
    Cut,
    /// The process is killed; the next one starts from the stored checkpoint.
    Kill,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1usize..400).prop_map(Step::Read),
        3 => (0usize..600).prop_map(Step::Durable),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Cut),
        1 => Just(Step::Kill),
    ];
    proptest::collection::vec(step, 1..60)
}

fn disturbed(log: &Log, steps: &[Step]) -> BTreeMap<String, Vec<Message>> {
    let broker = Rc::new(RefCell::new(Broker::default()));
    let mut stored: Option<End> = None;
    let mut running = core(log, &broker, None);
    let mut rest: Vec<&[u8]> = log.from(4).collect();
    rest.reverse();
    let from = |position: &Position| {
        // The recorded file ends with the rotation to the next one, which is empty.
        let is_recorded = position.file == "binlog.000001";
        let mut events: Vec<&[u8]> = log.from(position.offset).filter(|_| is_recorded).collect();
        events.reverse();
        events
    };
    for step in steps {
        match step {
            Step::Read(count) => {
                for _ in 0..*count {
                    let Some(event) = rest.pop() else { break };
                    running.on_event(event, 7).unwrap_or_else(|error| panic!("{error}"));
                }
            }
            Step::Durable(count) => running.sink().make_durable(*count),
            Step::Checkpoint => {
                if let Some(end) = running.checkpoint(7).unwrap() {
                    stored = Some(end);
                }
            }
            Step::Cut => rest = from(&running.abandon()),
            Step::Kill => {
                running = core(log, &broker, stored.as_ref());
                rest = from(&stored.as_ref().map_or(Position::at("binlog.000001", 4), |end| end.position.clone()));
            }
        }
    }
    while let Some(event) = rest.pop() {
        running.on_event(event, 7).unwrap_or_else(|error| panic!("{error}"));
    }
    running.finish().unwrap();
    broker.take().topics
}

fn check_log(server: &str, connector: Connector, least: usize) {
    check_crashes(&Log::recorded(server, connector), least);
}

/// Returns what an undisturbed run leaves.
fn check_crashes(log: &Log, least: usize) -> BTreeMap<String, Vec<Message>> {
    let expected = undisturbed(log);
    let count: usize = expected.values().map(Vec::len).sum();
    assert!(count > least, "{count} messages");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 40, ..ProptestConfig::default() });
    runner
        .run(&steps(), |steps| {
            let found = disturbed(log, &steps);
            for (topic, messages) in &expected {
                prop_assert_eq!(found.get(topic).map(Vec::len), Some(messages.len()), "{}", topic);
                prop_assert!(found.get(topic) == Some(messages), "{} differs", topic);
            }
            prop_assert_eq!(found.len(), expected.len());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    expected
}

/// Tables of the log as outboxes: one of the default layout; one whose rows have a topic each and are written by XA
/// transactions too; one whose rows cannot be mapped.
fn outboxes() -> Vec<OutboxRule> {
    let rule = |table: &str, key: &str, payload: &str, topic: &str, value: Payload| OutboxRule {
        tables: OutboxTables::Named(table.into()),
        options: OutboxOptions {
            key: key.into(),
            payload: payload.into(),
            topic: TopicRule::Template(Template::parse(topic).unwrap()),
            value,
            dead_letters: DeadLetters::Send { topic: None },
            ..OutboxOptions::default()
        },
    };
    vec![
        rule("golden.outbox", "aggregateid", "payload", "${aggregatetype}", Payload::Connect),
        rule("golden.xa_t", "v", "v", "xa.${id}", Payload::Text),
        rule("golden.customers", "email", "email", "customers", Payload::Json),
    ]
}

/// Rows name a topic each, and with one open at a time each row closes another one's; messages of XA transactions wait
/// while theirs is closed.
#[test]
fn a_bound_on_open_topics_changes_no_message() {
    for (server, connector) in [("mysql-9.7.4", Connector::Mysql), ("mariadb-10.11.18", Connector::Mariadb)] {
        let recorded = || Log { outboxes: outboxes(), ..Log::recorded(server, connector) };
        let expected = undisturbed(&recorded());
        for open_topics_max in [1, 2] {
            let log = Log { open_topics_max, ..recorded() };
            let broker = Rc::new(RefCell::new(Broker::default()));
            let mut core = core(&log, &broker, None);
            let mut most_open = 0;
            for event in log.from(4) {
                core.on_event(event, 7).unwrap_or_else(|error| panic!("{error}"));
                let sink = core.sink();
                // The topics of tables and of statements stay open.
                let is_routed = |name: &str| !name.starts_with("srv") || name.ends_with(".dead-letter");
                let open = sink.open.iter().filter(|id| is_routed(&sink.names[**id as usize])).count();
                most_open = most_open.max(open);
            }
            core.finish().unwrap();
            assert_eq!(most_open, open_topics_max, "{server}");
            assert!(broker.take().topics == expected, "{server} {open_topics_max}");
        }
        check_crashes(&Log { open_topics_max: 1, ..recorded() }, 6_000);
    }
}

#[test]
fn messages_of_outboxes_survive_any_crash() {
    for (server, connector) in [("mysql-9.7.4", Connector::Mysql), ("mariadb-10.11.18", Connector::Mariadb)] {
        let log = Log { outboxes: outboxes(), ..Log::recorded(server, connector) };
        let topics = check_crashes(&log, 6_000);
        assert_eq!(topics["Order"].len(), 4, "{server}");
        assert_eq!(topics["xa.1"].len(), 1, "{server}");
        assert!(!topics.contains_key("xa.2"), "{server}: it was rolled back");
        assert!(!topics.contains_key("customers") && !topics.contains_key("srv.golden.customers"), "{server}");
        let letters = &topics["srv.golden.customers.dead-letter"];
        assert!(
            letters.iter().all(|letter| letter.properties[0].1.starts_with("the payload is no JSON")),
            "{letters:?}"
        );
    }
}

/// Rules for columns change what a message says, but not which messages there are, nor their ids.
#[test]
fn masked_messages_survive_any_crash() {
    let list = |text: &str| PatternList::parse(text).unwrap();
    let columns = ColumnRules {
        selection: ColumnSelection::Exclude(list("golden\\.customers\\.first_name")),
        masks: vec![
            (list("golden\\.customers\\.email"), Mask::Asterisks(7)),
            (list("golden\\.customers\\..*"), Mask::Hash(SaltedHash::new(HashVersion::V2, "SHA-256", "sal").unwrap())),
            (list("golden\\.outbox\\.aggregateid"), Mask::Asterisks(3)),
        ],
        truncations: vec![(list("golden\\.t_.*"), 5)],
    };
    let recorded = || Log { outboxes: outboxes(), ..Log::recorded("mysql-9.7.4", Connector::Mysql) };
    let plain = undisturbed(&recorded());
    let log = Log { columns, ..recorded() };
    let masked = check_crashes(&log, 6_000);
    assert_eq!(masked["Order"][0].key.as_deref(), Some(&b"\"***\""[..]));
    let letters = &masked["srv.golden.customers.dead-letter"];
    let ids = |messages: &[Message]| messages.iter().map(|message| message.sequence_id).collect::<Vec<_>>();
    assert_eq!(ids(letters), ids(&plain["srv.golden.customers.dead-letter"]));
    for (letter, plain) in letters.iter().zip(&plain["srv.golden.customers.dead-letter"]) {
        let row: serde_json::Value = serde_json::from_slice(letter.value.as_deref().unwrap()).unwrap();
        let plain: serde_json::Value = serde_json::from_slice(plain.value.as_deref().unwrap()).unwrap();
        let (name, email) = (plain["last_name"].as_str().unwrap(), plain["email"].as_str().unwrap());
        assert_eq!((&row["email"], row.get("first_name")), (&"*******".into(), None));
        let key = String::from_utf8_lossy(letter.key.as_deref().unwrap_or_default());
        let text = format!("{key} {:?} {row}", letter.properties);
        assert!(!text.contains(name) && !text.contains(email), "{text}");
    }
    assert!(masked.keys().eq(plain.keys()));
}

#[test]
fn mysql_log_survives_any_crash() {
    check_log("mysql-9.7.4", Connector::Mysql, 6_000);
}

#[test]
fn mariadb_log_survives_any_crash() {
    check_log("mariadb-10.11.18", Connector::Mariadb, 6_000);
}

/// Type codes of the events that stand outside transactions or begin one: rotate, format description, previous GTIDs,
/// GTIDs of MySQL; checkpoint, GTID, GTID list and start of encryption of MariaDB.
const BETWEEN_TRANSACTIONS: [u8; 10] = [4, 15, 35, 33, 34, 42, 161, 162, 163, 164];

/// `CREATE TABLE … SELECT` is one transaction: a statement, its rows and a commit. Its end was once taken to be behind
/// the statement, so that a cut there would have asked a server by GTID for what comes behind the rows.
#[test]
fn a_cut_leads_back_to_the_beginning_of_a_transaction() {
    for (server, connector) in [("mysql-9.7.4", Connector::Mysql), ("mariadb-10.11.18", Connector::Mariadb)] {
        let log = Log::recorded(server, connector);
        let mut core = core(&log, &Rc::default(), None);
        let (mut from, mut boundaries) = (4, 0);
        for (cut, _) in &log.events {
            // From the last boundary up to the cut, behind the format description that a server sends first.
            let sent = log.events.iter().filter(|(at, _)| (from..*cut).contains(at) || *at == 4 && *cut > 4);
            for (_, event) in sent {
                core.on_event(event, 7).unwrap_or_else(|error| panic!("{error}"));
            }
            let end = core.abandon();
            let Some((_, next)) = log.events.iter().find(|(at, _)| *at == end.offset) else { continue };
            assert!(BETWEEN_TRANSACTIONS.contains(&next[4]), "{server}: event type {} at {}", next[4], end.offset);
            boundaries += usize::from(end.offset > from);
            from = end.offset;
        }
        assert!(boundaries > 300, "{server}: {boundaries}");
    }
}

/// Rows of an XA transaction that was prepared and then rolled back were never committed. Debezium publishes them.
#[test]
fn rows_of_a_rolled_back_xa_transaction_are_not_published() {
    for (server, connector) in [("mysql-9.7.4", Connector::Mysql), ("mariadb-10.11.18", Connector::Mariadb)] {
        let topics = undisturbed(&Log::recorded(server, connector));
        let keys: Vec<String> = topics["srv.golden.xa_t"]
            .iter()
            .map(|message| String::from_utf8(message.key.clone().unwrap()).unwrap())
            .collect();
        assert!(keys.contains(&r#"{"id":1}"#.to_owned()), "{server}: {keys:?}");
        assert!(!keys.contains(&r#"{"id":2}"#.to_owned()), "{server}: {keys:?}");
    }
}
