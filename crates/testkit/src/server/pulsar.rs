//! A real Apache Pulsar standalone for conformance tests.

use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::ChildProcess;
use crate::{free_port, project_root, wait_until};

/// Options of a Pulsar standalone.
#[derive(Debug, Clone, Default)]
pub struct PulsarOptions {
    /// Lines for the broker's configuration, such as `brokerDeduplicationEnabled=true`. Of several with one key the
    /// last one applies.
    pub configuration: Vec<String>,
}

/// A running Pulsar standalone with its own data folder. It ends with the test.
#[derive(Debug)]
pub struct Pulsar {
    /// Port of the binary protocol on 127.0.0.1.
    pub port: u16,
    /// Port of the admin REST on 127.0.0.1.
    pub http_port: u16,
    bookie_port: u16,
    process: Mutex<Option<ChildProcess>>, // dropped before its folder: a server that runs writes
    folder: TempDir,
}

impl Pulsar {
    /// Starts a standalone and waits until its health check passes (10 to 20 s; the first start downloads it).
    pub fn start(options: PulsarOptions) -> Pulsar {
        let folder = tempfile::Builder::new().prefix("bitacora-pulsar-").tempdir().expect("a temporary folder");
        let overlay = options.configuration.join("\n") + "\n";
        std::fs::write(folder.path().join("overlay.conf"), overlay).expect("the folder is writable");
        let pulsar = Pulsar {
            port: free_port(),
            http_port: free_port(),
            bookie_port: free_port(),
            folder,
            process: Mutex::new(None),
        };
        pulsar.launch();
        pulsar
    }

    fn launch(&self) {
        let mut command = Command::new(project_root().join("tools/pulsar-standalone.sh"));
        command.args(["foreground", "--data"]).arg(self.folder.path().join("data"));
        command.arg("--overlay").arg(self.folder.path().join("overlay.conf"));
        let ports = [("--port", self.port), ("--http", self.http_port), ("--bookie-port", self.bookie_port)];
        for (name, port) in ports {
            command.args([name, &port.to_string()]);
        }
        let mut process = ChildProcess::start(command);
        wait_until("a healthy Pulsar standalone", Duration::from_secs(600), || {
            assert!(process.ended().is_none(), "the Pulsar standalone ended:\n{}", process.stderr());
            self.is_healthy().then_some(())
        });
        *self.process.lock().expect("no holder panicked") = Some(process);
    }

    /// Returns whether the broker is healthy and has its default namespace, which appears a moment after the health
    /// check passes.
    fn is_healthy(&self) -> bool {
        self.get_succeeds("brokers/health") && self.get_succeeds("namespaces/public/default")
    }

    fn get_succeeds(&self, path: &str) -> bool {
        use std::io::{Read, Write};
        let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", self.http_port)) else { return false };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let request = format!("GET /admin/v2/{path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 200")
    }

    /// Returns the service URL of the binary protocol.
    pub fn url(&self) -> String {
        format!("pulsar://127.0.0.1:{}", self.port)
    }

    /// Returns the URL of the admin REST, without a slash at the end.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http_port)
    }

    /// Ends the broker with SIGKILL, as a crash does.
    pub fn kill9(&self) {
        if let Some(mut process) = self.process.lock().expect("no holder panicked").take() {
            process.kill9();
        }
    }

    /// Starts the broker again after [`Pulsar::kill9`], on the same ports with the same data.
    pub fn restart(&self) {
        self.kill9();
        self.launch();
    }
}
