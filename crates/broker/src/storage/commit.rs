//! The commit thread: writes and syncs what all logs append.
//!
//! It takes everything that waits, writes it file by file, syncs each file once, and tells the logs. What arrives in the
//! meantime is the next round, so the more load there is, the more entries share one sync. Bounded by the producers'
//! in-flight limits.

use std::{
    collections::HashMap,
    fs::File,
    io::{IoSlice, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use super::{
    StorageError,
    log::{Record, Shared},
    segment,
};

/// Files that stay open between rounds.
const OPEN_FILES: usize = 256;
const SLICES: usize = 512;

/// An entry on its way to the disk.
pub(super) struct Job {
    pub log: Arc<Shared>,
    pub ledger: u64,
    pub base: u64,
    /// Durable end of the log once this is synced.
    pub end: u64,
    pub record: Record,
}

/// The commit thread.
#[derive(Debug)]
pub struct Committer {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    is_stopping: bool,
}

impl Committer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start() -> Result<Self, StorageError> {
        let queue = Arc::new(Queue::default());
        let own = Arc::clone(&queue);
        let thread = std::thread::Builder::new().name("log-commit".to_owned()).spawn(move || run(&own));
        let thread = thread.map_err(StorageError::io("start the commit thread for", Path::new("the logs")))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn push(&self, job: Job) {
        self.queue.lock().jobs.push(job);
        self.queue.changed.notify_one();
    }

    /// Ends the thread after everything that waits has been written.
    pub fn stop(&self) {
        self.queue.lock().is_stopping = true;
        self.queue.changed.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_round(&self) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        loop {
            if !waiting.jobs.is_empty() {
                return Some(std::mem::take(&mut waiting.jobs));
            }
            if waiting.is_stopping {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("jobs", &self.lock().jobs.len()).finish_non_exhaustive()
    }
}

/// Open files by the address of their log, with the ledger.
type Files = HashMap<usize, (u64, File, Arc<Shared>)>;

fn run(queue: &Queue) {
    let mut files = Files::new();
    while let Some(jobs) = queue.next_round() {
        let mut by_log: Vec<(Arc<Shared>, Vec<Job>)> = Vec::new();
        let mut places: HashMap<usize, usize> = HashMap::new();
        for job in jobs {
            let place = *places.entry(address(&job.log)).or_insert_with(|| {
                by_log.push((Arc::clone(&job.log), Vec::new()));
                by_log.len() - 1
            });
            if let Some((_, own)) = by_log.get_mut(place) {
                own.push(job);
            }
        }
        for (log, own) in by_log {
            if log.has_failed() {
                continue;
            }
            let end = own.last().map_or(0, |job| job.end);
            let outcome = write(&mut files, &log, &own).map(|()| end);
            if outcome.is_err() {
                files.remove(&address(&log));
            }
            log.committed(outcome);
        }
        if files.len() > OPEN_FILES {
            files.clear();
        }
    }
}

fn address(log: &Arc<Shared>) -> usize {
    Arc::as_ptr(log).addr()
}

/// Writes a log's entries and syncs; a change of segment syncs the old one first.
fn write(files: &mut Files, log: &Arc<Shared>, jobs: &[Job]) -> Result<(), StorageError> {
    for run in jobs.chunk_by(|a, b| a.ledger == b.ledger) {
        let Some(first) = run.first() else { continue };
        let path = segment::path(&log.folder, first.ledger);
        let key = address(log);
        if files.get(&key).is_none_or(|(ledger, ..)| *ledger != first.ledger) {
            let file = if path.exists() {
                File::options().append(true).open(&path).map_err(StorageError::io("open", &path))?
            } else {
                segment::create(&log.folder, first.ledger, first.base)?
            };
            files.insert(key, (first.ledger, file, Arc::clone(log)));
        }
        let Some((_, file, _)) = files.get_mut(&key) else { continue };
        for part in run.chunks(SLICES) {
            write_all(file, part).map_err(StorageError::io("write", &path))?;
        }
        file.sync_data().map_err(StorageError::io("sync", &path))?;
    }
    Ok(())
}

fn write_all(file: &mut File, jobs: &[Job]) -> std::io::Result<()> {
    let heads: Vec<_> = jobs
        .iter()
        .map(|job| segment::encode(&job.record.bytes, job.record.publish_time_ms, job.record.message_count))
        .collect();
    let mut slices: Vec<IoSlice<'_>> =
        heads.iter().zip(jobs).flat_map(|(head, job)| [IoSlice::new(head), IoSlice::new(&job.record.bytes)]).collect();
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        let written = match file.write_vectored(rest) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            written => written?,
        };
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut rest, written);
    }
    Ok(())
}
