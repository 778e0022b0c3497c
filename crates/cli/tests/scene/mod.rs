//! A database server under load, `bitacora` between it and a topic, and the check of what arrived.

#![allow(dead_code)] // each test file uses a part of it

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bitacora_testkit::delivery::{Delivery, SnapshotRule};
use bitacora_testkit::load::{self, History, Load, LoadOptions};
use bitacora_testkit::{BitacoraProcess, Mysql, MysqlOptions, StoredMessage, TopicReader, free_port, wait_until};

pub(crate) const TOPIC: &str = "persistent://public/default/srv.carga.carga";
const READY: Duration = Duration::from_secs(60);

/// Addresses, folders and the server. The test starts and kills the processes.
pub(crate) struct Scene {
    pub server: Mysql,
    folder: tempfile::TempDir,
    port: u16,
    http_port: u16,
    /// The port to which sources connect: that of the server, or of a forwarder before it.
    pub server_port: u16,
}

impl Scene {
    /// Starts the server with the empty table of the load.
    pub(crate) fn new() -> Scene {
        let server = Mysql::start(MysqlOptions::default());
        load::create_table(&server);
        let folder = tempfile::Builder::new().prefix("bitacora-scene-").tempdir().unwrap();
        let server_port = server.port;
        Scene { server, folder, port: free_port(), http_port: free_port(), server_port }
    }

    pub(crate) fn load(&self, seed: u64) -> Load {
        Load::start(&self.server, &LoadOptions { seed, ..LoadOptions::default() })
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns the path of a folder or file of the scene.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts broker and source in one process.
    pub(crate) fn start_up(&self) -> BitacoraProcess {
        let config = format!(
            "data_dir = {:?}\n[broker]\nlisten = \"127.0.0.1:{}\"\nhttp = \"127.0.0.1:{}\"\n\
             [[source]]\nname = \"srv\"\ntopic_prefix = \"srv\"\n\
             [source.server]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"debezium\"\npassword = \"dbz\"\n\
             [source.tables]\ninclude = [\"carga.carga\"]\n",
            self.path("up"),
            self.port,
            self.http_port,
            self.server_port
        );
        std::fs::write(self.path("bitacora.toml"), config).unwrap();
        let file = self.path("bitacora.toml");
        BitacoraProcess::start_command(command(&["up".into(), "-c".into(), file.display().to_string()]))
    }

    /// Starts the broker alone.
    pub(crate) fn start_broker(&self) -> BitacoraProcess {
        let http = format!("127.0.0.1:{}", self.http_port);
        let data = self.path("broker").display().to_string();
        let arguments = ["broker", "--listen", &self.address(), "--http", &http, "--data-dir", &data].map(String::from);
        BitacoraProcess::start_command(command(&arguments))
    }

    /// Starts the source alone, with a source file of Pulsar IO that names the broker's port.
    pub(crate) fn start_source(&self) -> BitacoraProcess {
        self.start_source_in("source")
    }

    /// Starts the source alone with a data folder of that name. Each folder has its own replica id, as engines on two
    /// machines have: if two had the same id, the check of the server would refuse the second.
    pub(crate) fn start_source_in(&self, folder: &str) -> BitacoraProcess {
        let replica_id = 700_000 + folder.bytes().map(u32::from).sum::<u32>();
        let config = format!(
            "tenant: public\nnamespace: default\nname: srv\nconfigs:\n    \
             database.hostname: 127.0.0.1\n    database.port: \"{}\"\n    \
             database.server.id: \"{replica_id}\"\n    \
             database.user: debezium\n    database.password: dbz\n    database.server.name: srv\n    \
             table.include.list: carga.carga\n    \
             pulsar.service.url: pulsar://{}\n",
            self.server_port,
            self.address()
        );
        let name = format!("{folder}.yaml");
        std::fs::write(self.path(&name), config).unwrap();
        let (file, data) = (self.path(&name), self.path(folder));
        let arguments = [
            "source",
            "localrun",
            "--source-config-file",
            &file.display().to_string(),
            "--data-dir",
            &data.display().to_string(),
        ]
        .map(String::from);
        BitacoraProcess::start_command(command(&arguments))
    }

    /// Waits until the broker accepts connections.
    pub(crate) fn wait_for_broker(&self, process: &mut BitacoraProcess) {
        wait_until("the broker's port", READY, || {
            assert!(process.is_running(), "bitacora ended:\n{}", process.stderr());
            std::net::TcpStream::connect(self.address()).is_ok().then_some(())
        });
    }

    /// Waits until an event of the stream, not of the snapshot, has arrived.
    pub(crate) fn wait_for_stream(&self, process: &mut BitacoraProcess) {
        let mut reader = TopicReader::open(&self.address(), TOPIC);
        let mut delivery = Delivery::default();
        wait_until("an event of the stream", READY, || {
            assert!(process.is_running(), "bitacora ended:\n{}", process.stderr());
            while let Some(message) = reader.next_within(Duration::from_millis(20)) {
                delivery.add(&message.key_text(), &message.payload);
            }
            (delivery.streamed_count() > 0).then_some(())
        });
    }

    /// Ends the load, waits until the last change of every row has arrived, and checks everything that arrived. Returns
    /// how many changes were committed.
    pub(crate) fn verdict(&self, load: Load, snapshot: SnapshotRule) -> usize {
        self.verdict_on(&load.stop(), snapshot)
    }

    /// Does what [`Scene::verdict`] does, for a load that has ended.
    pub(crate) fn verdict_on(&self, history: &History, snapshot: SnapshotRule) -> usize {
        self.verdict_on_messages(history, snapshot, |_| true)
    }

    /// Does what [`Scene::verdict_on`] does, for those messages of the topic that the filter accepts.
    pub(crate) fn verdict_on_messages(
        &self,
        history: &History,
        snapshot: SnapshotRule,
        counts: impl Fn(&StoredMessage) -> bool,
    ) -> usize {
        let mut reader = TopicReader::open(&self.address(), TOPIC);
        let mut delivery = Delivery::default();
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut quiet_count = 0; // what comes after the last expected event would be an event too many
        while quiet_count < 3 && Instant::now() < deadline {
            match reader.next_within(Duration::from_millis(500)) {
                Some(message) if counts(&message) => delivery.add(&message.key_text(), &message.payload),
                Some(_) => {}
                None if delivery.has_all_ends(history) => quiet_count += 1,
                None => {}
            }
        }
        if let Err(faults) = delivery.check(history, snapshot) {
            panic!(
                "{} committed changes, {} streamed events, {faults}",
                history.step_count(),
                delivery.streamed_count()
            );
        }
        history.step_count()
    }
}

fn command(arguments: &[String]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bitacora"));
    command.args(arguments);
    command
}
