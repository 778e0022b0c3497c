//! A MySQL or MariaDB server for one test: with a free port and a data folder of its own, ended with the test.
//!
//! Life cycle: `start` (the first start on a machine downloads the server); `restart` and `kill9` as often as needed,
//! on the same port and data folder; dropping it ends the server.

use std::io::Read;
use std::net::TcpStream;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::ChildProcess;
use crate::{free_port, project_root, wait_until};

/// Options of a MySQL server. By default GTIDs are on, the server id is 1, and there is no fsync.
#[derive(Debug, Clone)]
pub struct MysqlOptions {
    /// GTID mode ON or OFF.
    pub gtid: bool,
    /// No fsync and no doublewrite; right for everything but measurements of durability.
    pub fast: bool,
    /// The server's id.
    pub server_id: u32,
    /// Further server options, such as `--binlog-row-metadata=MINIMAL`. Of several with one name the last one applies.
    pub extra: Vec<String>,
}

impl Default for MysqlOptions {
    fn default() -> Self {
        MysqlOptions { gtid: true, fast: true, server_id: 1, extra: Vec::new() }
    }
}

/// Options of a MariaDB server. By default it is release 10.11 with strict GTIDs, server id 1, and no fsync.
#[derive(Debug, Clone)]
pub struct MariadbOptions {
    /// GTID strict mode.
    pub gtid: bool,
    /// No fsync and no doublewrite; right for everything but measurements of durability.
    pub fast: bool,
    /// The server's id.
    pub server_id: u32,
    /// Further server options. Of several with one name the last one applies.
    pub extra: Vec<String>,
    /// The Debian suite that the server comes from: `bookworm` (10.11), `trixie` or `sid` (11.8 and newer).
    pub release: String,
}

impl Default for MariadbOptions {
    fn default() -> Self {
        MariadbOptions { gtid: true, fast: true, server_id: 1, extra: Vec::new(), release: "bookworm".into() }
    }
}

/// A running MySQL server; see [`DatabaseServer`] for what it can do.
#[derive(Debug)]
pub struct Mysql(DatabaseServer);

/// A running MariaDB server; see [`DatabaseServer`] for what it can do.
#[derive(Debug)]
pub struct Mariadb(DatabaseServer);

impl Mysql {
    /// Starts a server and waits until it answers.
    pub fn start(options: MysqlOptions) -> Mysql {
        let mut script = vec![tool("mysql-server.sh")];
        script.extend(["foreground".into()]);
        let arguments = server_arguments(options.gtid, options.fast, options.server_id, &options.extra);
        Mysql(DatabaseServer::start(script, vec![tool("mysql-server.sh")], arguments))
    }
}

impl Mariadb {
    /// Starts a server and waits until it answers.
    pub fn start(options: MariadbOptions) -> Mariadb {
        let base = vec![tool("mariadb-server.sh"), "--release".into(), options.release];
        let mut script = base.clone();
        script.push("foreground".into());
        let arguments = server_arguments(options.gtid, options.fast, options.server_id, &options.extra);
        Mariadb(DatabaseServer::start(script, base, arguments))
    }
}

impl Deref for Mysql {
    type Target = DatabaseServer;
    fn deref(&self) -> &DatabaseServer {
        &self.0
    }
}

impl Deref for Mariadb {
    type Target = DatabaseServer;
    fn deref(&self) -> &DatabaseServer {
        &self.0
    }
}

/// What MySQL and MariaDB servers have in common. The accounts are `root`, without a password from this machine, and
/// `debezium`, with the password `dbz` and only the privileges that a source needs.
#[derive(Debug)]
pub struct DatabaseServer {
    /// The server's TCP port on 127.0.0.1.
    pub port: u16,
    start_command: Vec<String>,
    base_command: Vec<String>,
    process: Mutex<Option<ChildProcess>>, // dropped before its folder: a server that runs writes
    folder: TempDir,
}

impl DatabaseServer {
    fn start(script: Vec<String>, base_command: Vec<String>, arguments: Vec<String>) -> DatabaseServer {
        let mut last = String::new();
        for _ in 0..3 {
            let folder = tempfile::Builder::new().prefix("bitacora-db-").tempdir().expect("a temporary folder");
            let port = free_port();
            let mut start_command = script.clone();
            start_command.extend(["--port".into(), port.to_string(), "--datadir".into()]);
            start_command.push(folder.path().join("data").display().to_string());
            start_command.extend(arguments.clone());
            let server = DatabaseServer {
                port,
                start_command,
                base_command: base_command.clone(),
                folder,
                process: Mutex::new(None),
            };
            match server.launch() {
                Ok(()) => return server,
                Err(report) => last = report, // most often: another process took the port in between
            }
        }
        panic!("the database server does not start:\n{last}");
    }

    /// Starts the process and waits for its greeting. The error is the last lines of its log.
    fn launch(&self) -> Result<(), String> {
        let mut command = Command::new(&self.start_command[0]);
        command.args(&self.start_command[1..]);
        let mut process = ChildProcess::start(command);
        let mut report = None;
        // The first start on a machine downloads the server, hence the long deadline.
        wait_until("the database server's greeting", Duration::from_secs(600), || {
            if process.ended().is_some() {
                report = Some(process.stderr());
                return Some(());
            }
            greets(self.port).then_some(())
        });
        match report {
            Some(text) => Err(tail(&text, 12)),
            None => {
                *self.process.lock().expect("no holder panicked") = Some(process);
                Ok(())
            }
        }
    }

    /// Returns the server's data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Returns a URL of the root account for `mysql_async`.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}", self.port)
    }

    /// Returns a pool of the root account for asynchronous tests.
    pub fn pool(&self) -> mysql_async::Pool {
        mysql_async::Pool::from_url(self.url()).expect("the URL is well formed")
    }

    /// Runs statements as root with the server's own client, in one session, and returns its output: one line per row,
    /// with tabs between the columns and no headings. Panics with the server's message if a statement fails.
    pub fn client(&self, sql: &str) -> String {
        self.try_client(sql).unwrap_or_else(|message| panic!("{message}\nin: {sql}"))
    }

    /// Runs statements as [`DatabaseServer::client`] does; the error is the server's message.
    pub fn try_client(&self, sql: &str) -> Result<String, String> {
        let mut command = self.client_command(&["-N", "-B"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the client starts");
        let mut input = child.stdin.take().expect("stdin is piped");
        let text = sql.to_owned();
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, text.as_bytes()));
        let output = child.wait_with_output().expect("the client ends");
        let _ = writer.join(); // a client that failed early does not read all of its input
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    }

    /// Returns the command line of the server's own client as root, with further arguments.
    pub fn client_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.base_command[0]);
        command.args(&self.base_command[1..]).args(["client", "--port", &self.port.to_string()]).args(arguments);
        command
    }

    /// Shuts the server down with SIGTERM; [`DatabaseServer::restart`] starts it again.
    pub fn stop(&self) {
        if let Some(mut process) = self.process.lock().expect("no holder panicked").take() {
            process.signal(libc::SIGTERM);
            process.wait(Duration::from_secs(60));
        }
    }

    /// Ends the server with SIGKILL, as a crash does.
    pub fn kill9(&self) {
        if let Some(mut process) = self.process.lock().expect("no holder panicked").take() {
            process.kill9();
        }
    }

    /// Stops the server if it runs and starts it again on the same port with the same data.
    pub fn restart(&self) {
        self.stop();
        self.launch().unwrap_or_else(|report| panic!("the database server does not start again:\n{report}"));
    }
}

fn server_arguments(gtid: bool, fast: bool, server_id: u32, extra: &[String]) -> Vec<String> {
    let mut arguments = vec!["--server-id".to_owned(), server_id.to_string()];
    arguments.extend(["--gtid".into(), if gtid { "on" } else { "off" }.into()]);
    if fast {
        arguments.push("--fast".into());
    }
    if !extra.is_empty() {
        arguments.extend(["--extra".into(), extra.join(" ")]);
    }
    arguments
}

/// Returns whether the server sends its greeting (protocol version 10), which it does once it accepts connections.
fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut start = [0; 5];
    stream.read_exact(&mut start).is_ok() && start[4] == 10
}

fn tool(name: &str) -> String {
    project_root().join("tools").join(name).display().to_string()
}

fn tail(text: &str, line_count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(line_count)..].join("\n")
}
