//! Runs the built `bitacora` binary as a child process.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::process::{self, ChildProcess};
use crate::project_root;

/// A running `bitacora` process with captured output; killed when dropped.
#[derive(Debug)]
pub struct BitacoraProcess {
    process: ChildProcess,
}

impl BitacoraProcess {
    /// Starts the binary with `arguments`. `RUST_BACKTRACE` is on, so that a panic shows its place.
    pub fn start<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> BitacoraProcess {
        let mut command = Command::new(BitacoraProcess::binary());
        command.args(arguments);
        BitacoraProcess::start_command(command)
    }

    /// Starts a prepared command, such as one with environment variables or a resource limit.
    pub fn start_command(mut command: Command) -> BitacoraProcess {
        command.env("RUST_BACKTRACE", "1");
        BitacoraProcess { process: ChildProcess::start(command) }
    }

    /// Returns the path of the binary: `$BITACORA_BIN`, or the one beside the running test.
    pub fn binary() -> PathBuf {
        if let Some(path) = std::env::var_os("BITACORA_BIN") {
            return path.into();
        }
        let test = std::env::current_exe().expect("the test has a path");
        let beside = test.ancestors().skip(1).map(|folder| folder.join("bitacora")).find(|path| path.is_file());
        beside.unwrap_or_else(|| {
            let root = project_root();
            panic!("build the binary first: cargo build -p bitacora (in {})", root.display())
        })
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Returns what was written to standard output so far.
    pub fn stdout(&self) -> String {
        self.process.stdout()
    }

    /// Returns what was written to standard error so far.
    pub fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// Returns whether the process is still running.
    pub fn is_running(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// Ends the process with SIGKILL, as a crash does.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Sends SIGINT, as Ctrl-C does, and returns the exit code. Panics after 60 s.
    pub fn interrupt(&mut self) -> i32 {
        self.process.signal(libc::SIGINT);
        self.process.wait(Duration::from_secs(60))
    }

    /// Waits for the process to end by itself and returns the exit code. Panics after `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> i32 {
        self.process.wait(deadline)
    }

    /// Returns the peak resident memory in bytes while the process lives.
    pub fn peak_resident_bytes(&self) -> Option<u64> {
        process::peak_resident_bytes(self.process.id())
    }
}
