//! The socket through which another process can copy the `redb` files that this process has open.
//!
//! Only the process that has a file open knows when it is between two transactions. So each process with a data folder
//! listens on `control/<process>.sock` in it, which only its own user can reach. A request is the path of a file and a
//! zero byte. The answer is one line:
//!
//! - `held`: the process writes nothing to the file until the peer ends its side of the connection, and then answers
//!   `done`.
//! - `not open`.
//! - `failed` and the reason.
//!
//! The socket lives as long as its [`CopyService`]. A socket on which nobody listens was left by a crash; the next
//! process removes it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::facts::hold;
use crate::panic::caught;
use crate::rights::{make_folder, tighten};

const FOLDER: &str = "control";
const HELD: &str = "held";
const DONE: &str = "done";
const NOT_OPEN: &str = "not open";
/// Most bytes of a request, which is one path.
const REQUEST_BYTES: u64 = 8 * 1024;
/// How long a request may take to arrive. Requests are served one at a time, so a slow one would hold up the others.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a copy may take. After that the process writes again, and the copy fails.
const COPY_TIME: Duration = Duration::from_secs(300);

/// Answers requests for copies until it is dropped.
#[derive(Debug)]
pub struct CopyService {
    socket: PathBuf,
}

impl CopyService {
    /// Begins to answer requests for the files of a data folder.
    ///
    /// # Errors
    /// The folder cannot hold a socket, or the system gives no thread.
    pub fn start(data_dir: &Path) -> io::Result<CopyService> {
        let folder = data_dir.join(FOLDER);
        make_folder(&folder)?;
        tighten(&folder);
        for socket in sockets(data_dir) {
            if at(&socket, UnixStream::connect).is_err() {
                let _ = fs::remove_file(&socket);
            }
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let socket = folder.join(format!("{}-{:x}.sock", std::process::id(), now.as_nanos()));
        let listener = at(&socket, UnixListener::bind)?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600))?;
        let thread = std::thread::Builder::new().name("copies".to_owned());
        thread.spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // A peer that has ended needs no answer.
                let _ = serve(&mut stream);
            }
        })?;
        Ok(CopyService { socket })
    }
}

impl Drop for CopyService {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
    }
}

/// Runs `work` while the process that has the file open writes nothing to it; `None` when no process has it open.
///
/// # Errors
/// The process could not hold the file until the work was done, or the work failed.
pub(crate) fn held_elsewhere(
    data_dir: &Path,
    file: &Path,
    work: impl FnOnce() -> io::Result<()>,
) -> io::Result<Option<()>> {
    let ended = || io::Error::other("the process that has it open ended, or did not wait any longer");
    for socket in sockets(data_dir) {
        let Ok(stream) = at(&socket, UnixStream::connect) else { continue };
        (&stream).write_all(file.as_os_str().as_bytes())?;
        (&stream).write_all(&[0])?;
        let mut answers = BufReader::new(&stream).lines();
        match answers.next().transpose()?.ok_or_else(ended)?.as_str() {
            NOT_OPEN => {}
            HELD => {
                work()?;
                stream.shutdown(Shutdown::Write)?;
                let is_done = answers.next().transpose()?.is_some_and(|answer| answer == DONE);
                return if is_done { Ok(Some(())) } else { Err(ended()) };
            }
            failed => return Err(io::Error::other(failed.to_owned())),
        }
    }
    Ok(None)
}

fn serve(stream: &mut UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut path = Vec::new();
    BufReader::new((&*stream).take(REQUEST_BYTES)).read_until(0, &mut path)?;
    if path.pop() != Some(0) {
        return writeln!(stream, "failed: the request is not a path");
    }
    match hold(Path::new(OsStr::from_bytes(&path))) {
        Ok(None) => writeln!(stream, "{NOT_OPEN}"),
        Err(error) => writeln!(stream, "failed: {error}"),
        Ok(Some(held)) => {
            stream.set_read_timeout(Some(COPY_TIME))?;
            writeln!(stream, "{HELD}")?;
            let ended = stream.read(&mut [0]);
            let _ = caught(move || drop(held));
            if ended? == 0 { writeln!(stream, "{DONE}") } else { Ok(()) }
        }
    }
}

fn sockets(data_dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data_dir.join(FOLDER)).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension() == Some(OsStr::new("sock"))).collect()
}

/// Runs `work` with a short path of a socket, through its open folder: the address of a socket holds 107 bytes, and a
/// path may be longer.
fn at<T>(socket: &Path, work: impl FnOnce(PathBuf) -> io::Result<T>) -> io::Result<T> {
    let (Some(folder), Some(name)) = (socket.parent(), socket.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let folder = File::open(folder)?;
    work(Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name))
}
