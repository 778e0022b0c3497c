//! Server log, checkpoint and topic belong together. Under a steady write load, one of them is replaced repeatedly, by
//! an older copy, by another one, or by none: every committed change must arrive once, in order for each key.
//!
//! `BITACORA_CHAOS_REPLACEMENTS` sets the number of replacements (default 10; `make chaos` uses 200), and
//! `BITACORA_CHAOS_SEED` which ones and when.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod moments;
mod scene;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bitacora_testkit::delivery::SnapshotRule;
use bitacora_testkit::{BitacoraProcess, Forwarder, Mysql, MysqlOptions, StoredMessage, TopicReader, wait_until};
use moments::{Moments, setting};
use scene::{Scene, TOPIC};

const READY: Duration = Duration::from_secs(60);

/// Rows that the test itself writes have ids from this one on.
const FIRST_PROBE: i64 = 900_000_000;

/// What is replaced, and by what.
#[derive(Debug, Clone, Copy)]
enum Replacement {
    /// The checkpoint by an older copy of itself.
    Checkpoint,
    /// The broker's folder by an older copy of itself, while the source runs.
    Topic,
    /// Both by copies of different moments.
    CheckpointAndTopic,
    /// The engine by a second one of the same name without a checkpoint, for a moment.
    Engine,
    /// The server by a replica that lags, for a moment.
    Server,
}

const REPLACEMENTS: [Replacement; 5] = [
    Replacement::Checkpoint,
    Replacement::Topic,
    Replacement::CheckpointAndTopic,
    Replacement::Engine,
    Replacement::Server,
];

/// Server, source and broker, and copies of the data of source and broker.
struct Trio {
    scene: Scene,
    forwarder: Forwarder,
    replica: Mysql,
    broker: BitacoraProcess,
    source: BitacoraProcess,
    /// Number of rows that were written to see whether the source continues.
    probes: i64,
    /// Older copies of the data folders: of the source and of the broker.
    source_copies: Vec<PathBuf>,
    broker_copies: Vec<PathBuf>,
}

impl Trio {
    /// Starts everything. The replica has the table of the load but no later changes.
    fn start() -> Trio {
        let mut scene = Scene::new();
        let replica = lagging_replica(&scene);
        let forwarder = Forwarder::start(scene.server.port);
        scene.server_port = forwarder.port;
        let mut broker = scene.start_broker();
        scene.wait_for_broker(&mut broker);
        let source = scene.start_source();
        Trio {
            scene,
            forwarder,
            replica,
            broker,
            source,
            probes: 0,
            source_copies: Vec::new(),
            broker_copies: Vec::new(),
        }
    }

    /// Copies both data folders as a crash would leave them.
    fn copy(&mut self) {
        self.source.kill9();
        self.broker.kill9();
        for (copies, name) in [(&mut self.source_copies, "source"), (&mut self.broker_copies, "broker")] {
            let copy = self.scene.path(&format!("{name}.{}", copies.len()));
            copy_folder(&self.scene.path(name), &copy);
            copies.push(copy);
        }
        self.start_both();
    }

    fn start_both(&mut self) {
        self.broker = self.scene.start_broker();
        self.source = self.scene.start_source();
    }

    fn put_back(&self, name: &str, copy: &Path) {
        let folder = self.scene.path(name);
        std::fs::remove_dir_all(&folder).unwrap();
        copy_folder(copy, &folder);
    }

    fn replace(&mut self, replacement: Replacement, moments: &mut Moments) {
        let source_copy = moments.choose(&self.source_copies).clone();
        let broker_copy = moments.choose(&self.broker_copies).clone();
        match replacement {
            Replacement::Checkpoint => {
                self.source.kill9();
                self.put_back("source", &source_copy);
                self.source = self.scene.start_source();
            }
            Replacement::Topic => {
                self.broker.kill9();
                self.put_back("broker", &broker_copy);
                self.broker = self.scene.start_broker();
            }
            Replacement::CheckpointAndTopic => {
                self.source.kill9();
                self.broker.kill9();
                self.put_back("source", &source_copy);
                self.put_back("broker", &broker_copy);
                self.start_both();
            }
            Replacement::Engine => self.second_engine(moments),
            Replacement::Server => {
                self.forwarder.switch_to(self.replica.port);
                // The random moment is what is tested, not a wait for a state.
                std::thread::sleep(moments.within(2_000));
                self.forwarder.switch_to(self.scene.server.port);
            }
        }
    }

    /// Lets a second engine take over the topics. The first one must end and name the second; then it is started again.
    fn second_engine(&mut self, moments: &mut Moments) {
        // The engine that opens a topic last gets it, so the first one must have opened it before.
        self.wait_for_progress();
        let mut second = self.scene.start_source_in("second");
        wait_until("the end of the engine that was fenced out", READY, || {
            (!self.source.is_running() || !second.is_running()).then_some(())
        });
        let words = self.source.stderr();
        assert!(second.is_running(), "the second engine ended:\n{}\nThe first one:\n{words}", second.stderr());
        assert!(words.contains("has taken over topic"), "the first engine does not say who took over:\n{words}");
        std::thread::sleep(moments.within(500)); // the random moment is what is tested, not a wait for a state
        second.kill9();
        std::fs::remove_dir_all(self.scene.path("second")).unwrap();
        self.source = self.scene.start_source();
    }

    /// Waits until a change that is committed from now on has arrived.
    fn wait_for_progress(&mut self) {
        let id = FIRST_PROBE + self.probes;
        self.probes += 1;
        self.scene.server.client(&format!("INSERT INTO carga.carga VALUES ({id}, 0, 1, 'probe')"));
        self.scene.wait_for_broker(&mut self.broker);
        let mut reader = TopicReader::open(&self.scene.address(), TOPIC);
        wait_until("a change after a replacement", READY, || {
            assert!(self.source.is_running(), "the source ended:\n{}", self.source.stderr());
            assert!(self.broker.is_running(), "the broker ended:\n{}", self.broker.stderr());
            let mut is_there = false;
            while let Some(message) = reader.next_within(Duration::from_millis(20)) {
                is_there |= id_of(&message) == id;
            }
            is_there.then_some(())
        });
    }
}

#[test]
fn of_log_checkpoint_and_topic() {
    let count = setting("BITACORA_CHAOS_REPLACEMENTS", 10);
    let mut moments = Moments::new(6);
    let mut trio = Trio::start();
    let load = trio.scene.load(16);
    trio.scene.wait_for_stream(&mut trio.source);
    let first = TopicReader::open(&trio.scene.address(), TOPIC).next_within(READY).expect("the stream has begun");
    let engine = engine_of(&first).to_owned();
    trio.copy();
    for round in 0..count {
        let replacement = *moments.choose(&REPLACEMENTS);
        std::thread::sleep(moments.within(700)); // the random moment is what is tested, not a wait for a state
        println!("chaos: {round}: {replacement:?}");
        trio.replace(replacement, &mut moments);
        if moments.one_in(3) {
            trio.wait_for_progress();
        }
        if moments.one_in(8) {
            trio.copy();
        }
    }
    trio.wait_for_progress();
    let mut history = load.stop();
    // The rows that the test wrote are not part of the load.
    let is_of_load = |message: &StoredMessage| id_of(message) < FIRST_PROBE;
    history.steps.retain(|id, _| *id < FIRST_PROBE);
    let count_of_changes = trio.scene.verdict_on_messages(&history, SnapshotRule::Once, |message| {
        engine_of(message) == engine && is_of_load(message)
    });
    assert_eq!(trio.source.interrupt(), 0, "{}", trio.source.stderr());
    assert_eq!(trio.broker.interrupt(), 0, "{}", trio.broker.stderr());
    println!("chaos: {count} replacements, {count_of_changes} changes");
}

/// Returns the id in a message's key.
fn id_of(message: &StoredMessage) -> i64 {
    let key = message.key_text();
    let digits = key.strip_prefix("{\"id\":").and_then(|rest| rest.strip_suffix('}'));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{key} is not a key of the load's table"))
}

/// Returns the name of the engine that a message comes from. Each has its own sequence ids.
fn engine_of(message: &StoredMessage) -> &str {
    message.entry.producer_name.trim_end_matches("-snapshot")
}

/// Starts a replica of the scene's server that receives everything and then executes nothing more.
fn lagging_replica(scene: &Scene) -> Mysql {
    let replica = Mysql::start(MysqlOptions { server_id: 2, ..MysqlOptions::default() });
    replica.client(&format!(
        "RESET BINARY LOGS AND GTIDS;
         CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {}, SOURCE_USER = 'root',
         SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1; START REPLICA",
        scene.server.port
    ));
    wait_until("the table of the load on the replica", READY, || {
        replica.try_client("SELECT 1 FROM carga.carga LIMIT 1").is_ok().then_some(())
    });
    replica.client("STOP REPLICA SQL_THREAD");
    replica
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_folder(&entry.path(), &target);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
