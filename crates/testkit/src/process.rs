//! Child processes that cannot outlive the test.
//!
//! The kernel sends SIGKILL to every child when the thread that started it ends (`PR_SET_PDEATHSIG`). Test threads come
//! and go, so one thread that lives as long as the test process starts all children.

#![allow(unsafe_code, reason = "signals and the death of a parent are asked of the system by calls")]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use crate::wait_until;

type Job = Box<dyn FnOnce() + Send>;

/// Runs `start` on the thread that lives as long as the test process, and returns its result.
fn on_nursery_thread<T: Send + 'static>(start: impl FnOnce() -> T + Send + 'static) -> T {
    static NURSERY: OnceLock<Sender<Job>> = OnceLock::new();
    let nursery = NURSERY.get_or_init(|| {
        let (jobs, inbox) = channel::<Job>();
        thread::Builder::new()
            .name("nursery".into())
            .spawn(move || inbox.into_iter().for_each(|job| job()))
            .expect("a thread can be started");
        jobs
    });
    let (answer, result) = channel();
    nursery
        .send(Box::new(move || {
            let _ = answer.send(start());
        }))
        .expect("the nursery thread lives as long as the process");
    result.recv().expect("the nursery thread answers")
}

/// A child process with captured output. Dropping it kills the process.
#[derive(Debug)]
pub struct ChildProcess {
    child: Child,
    status: Option<ExitStatus>,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
}

impl ChildProcess {
    /// Starts `command` with empty input; threads collect its output.
    pub fn start(mut command: Command) -> ChildProcess {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: between fork and exec only `prctl` and `getppid` run, which are async-signal-safe and touch no memory
        // of the parent. `process::tests::children_end_with_their_parent` exercises it.
        unsafe {
            command.pre_exec(|| {
                if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let shown = format!("{command:?}");
        let mut child =
            on_nursery_thread(move || command.spawn()).unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        let stdout = collect(child.stdout.take().expect("stdout is piped"));
        let stderr = collect(child.stderr.take().expect("stderr is piped"));
        ChildProcess { child, status: None, stdout, stderr }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns what the process has written to its standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.lock().expect("no collector panicked").clone()
    }

    /// Returns what the process has written to its standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().expect("no collector panicked").clone()
    }

    /// Returns the exit status if the process has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("a child can be waited for");
        }
        self.status
    }

    /// Sends a signal, such as `libc::SIGTERM`, unless the process has ended.
    pub fn signal(&mut self, signal: i32) {
        if self.ended().is_none() {
            let id = i32::try_from(self.id()).expect("process ids are positive i32");
            // SAFETY: `kill` takes plain integers; the child has not been waited for, so the id is still its own.
            unsafe { libc::kill(id, signal) };
        }
    }

    /// Sends SIGKILL and waits for the end.
    pub fn kill9(&mut self) {
        self.signal(libc::SIGKILL);
        self.wait(Duration::from_secs(30));
    }

    /// Waits for the end and returns the exit code, or 128 + signal as a shell does. Panics after `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> i32 {
        let id = self.id();
        let status = wait_until(&format!("the end of process {id}"), deadline, || self.ended());
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn collect(stream: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(n) if n > 0) {
            sink.lock().expect("no reader panicked").push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    text
}

/// Returns the peak resident memory of a live process in bytes (`VmHWM` of proc(5)).
pub fn peak_resident_bytes(process_id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process_id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> ChildProcess {
        let mut command = Command::new("bash");
        command.args(["-c", script]);
        ChildProcess::start(command)
    }

    #[test]
    fn captures_output_and_exit_code() {
        let mut child = shell("echo out; echo err >&2; exit 7");
        assert_eq!(child.wait(Duration::from_secs(10)), 7);
        wait_until("the output", Duration::from_secs(10), || {
            (child.stdout() == "out\n" && child.stderr() == "err\n").then_some(())
        });
    }

    #[test]
    fn reports_the_signal_as_a_shell_does() {
        let mut child = shell("exec sleep 600");
        child.signal(libc::SIGTERM);
        assert_eq!(child.wait(Duration::from_secs(10)), 128 + 15);
    }

    #[test]
    fn children_survive_the_thread_that_asked_for_them() {
        let mut child = thread::spawn(|| shell("echo ready; exec sleep 600")).join().unwrap();
        wait_until("the child's line", Duration::from_secs(10), || (child.stdout() == "ready\n").then_some(()));
        assert_eq!(child.ended(), None);
        child.kill9();
    }

    /// A child of this test process starts a grandchild in the same way and is killed. The grandchild must end too.
    #[test]
    fn children_end_with_their_parent() {
        if std::env::var_os("TESTKIT_PARENT_ROLE").is_some() {
            let grandchild = shell("exec sleep 600");
            println!("\ngrandchild {}", grandchild.id());
            thread::sleep(Duration::from_secs(600));
            return;
        }
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "process::tests::children_end_with_their_parent", "--nocapture"]);
        command.env("TESTKIT_PARENT_ROLE", "1");
        let mut parent = ChildProcess::start(command);
        let grandchild = wait_until("the grandchild's id", Duration::from_secs(30), || {
            let output = parent.stdout();
            let (_, id) = output.split_once("grandchild ")?;
            id.contains('\n').then(|| id.trim().lines().next().unwrap().to_owned())
        });
        parent.kill9();
        wait_until("the grandchild's end", Duration::from_secs(10), || {
            let state = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
            (state.is_empty() || state.contains(") Z ")).then_some(())
        });
    }
}
