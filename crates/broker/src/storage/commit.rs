//! The commit thread: writes and syncs what all logs append.
//!
//! The thread takes all waiting entries, writes them file by file, syncs each file once, and tells the logs. Entries
//! that arrive in the meantime form the next round, so under more load more entries share one sync. The producers'
//! in-flight limits bound the queue.
//!
//! The newest segments stay open, up to [`OPEN_FILES`]. If the process has no file descriptor left, the thread closes
//! its own files and waits for one. Entries can wait, but a log that failed accepts no more entries until a restart.

use std::{
    collections::HashMap,
    fs::File,
    io::{IoSlice, Write},
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::{
    StorageError,
    log::{Record, SharedLog},
    segment::{self, Start},
};
use crate::clock::now_ms;

/// Most segment files that are open at a time.
const OPEN_FILES: usize = 256;
const SLICES: usize = 512;
/// Pause between two tries to open a file while no descriptor is left.
const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);

/// An entry on its way to the disk.
pub(super) struct Job {
    pub log: Arc<SharedLog>,
    /// The segment of the entry.
    pub segment: Start,
    /// The log's durable end once the entry is synced.
    pub end: u64,
    pub record: Record,
}

/// The commit thread.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: Arc<Queue>,
    last_ledger: AtomicU64,
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
    /// Whether a log was deleted whose file may still be open.
    has_deleted: bool,
    is_stopping: bool,
}

impl Committer {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`StorageError`] if the system refuses a thread.
    pub(crate) fn start() -> Result<Self, StorageError> {
        let queue = Arc::new(Queue::default());
        let own = Arc::clone(&queue);
        let thread = std::thread::Builder::new().name("log-commit".to_owned()).spawn(move || run(&own));
        let thread = thread.map_err(StorageError::io("start the commit thread for", Path::new("the logs")))?;
        Ok(Self { queue, last_ledger: AtomicU64::new(0), thread: Mutex::new(Some(thread)) })
    }

    /// Returns the number of a new segment: above `after`, above every other number of this process, and at least the
    /// clock (ms since the epoch). So no message id comes twice, even if a topic is deleted and created again, or an
    /// older copy of its folder is restored.
    pub(super) fn next_ledger(&self, after: u64) -> u64 {
        let least = now_ms().max(after.saturating_add(1));
        let next = |last: u64| Some(least.max(last.saturating_add(1)));
        // Relaxed, because only the number itself must be unique.
        let last = self.last_ledger.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        least.max(last.unwrap_or_else(|last| last).saturating_add(1))
    }

    pub(super) fn push(&self, job: Job) {
        self.queue.lock().jobs.push(job);
        self.queue.changed.notify_one();
    }

    /// Closes the files of deleted logs.
    pub(super) fn forget_deleted(&self) {
        self.queue.lock().has_deleted = true;
        self.queue.changed.notify_one();
    }

    /// Ends the thread after all waiting entries were written.
    pub(crate) fn stop(&self) {
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
            if !waiting.jobs.is_empty() || std::mem::take(&mut waiting.has_deleted) {
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

/// The open files by the address of their log.
#[derive(Default)]
struct Files(HashMap<usize, OpenFile>);

struct OpenFile {
    ledger: u64,
    file: File,
    /// Kept alive, so that no other log can get this address.
    log: Arc<SharedLog>,
}

impl Files {
    /// Returns the file of a log's segment, which is opened or created if necessary.
    fn segment(&mut self, log: &Arc<SharedLog>, start: &Start, queue: &Queue) -> Result<&mut File, StorageError> {
        let key = address(log);
        if self.0.get(&key).is_none_or(|known| known.ledger != start.ledger) {
            self.0.remove(&key);
            while self.0.len() >= OPEN_FILES
                && let Some(any) = self.0.keys().next().copied()
            {
                self.0.remove(&any);
            }
            let file = self.open(log, start, queue)?;
            self.0.insert(key, OpenFile { ledger: start.ledger, file, log: Arc::clone(log) });
        }
        let found = self.0.get_mut(&key).map(|known| &mut known.file);
        found.ok_or_else(|| StorageError::Poisoned("its file is not open".to_owned()))
    }

    fn open(&mut self, log: &Arc<SharedLog>, start: &Start, queue: &Queue) -> Result<File, StorageError> {
        let path = segment::path(&log.folder, start.ledger);
        let mut is_told = false;
        loop {
            let is_new = !path.exists();
            let opened = if is_new {
                segment::create(&log.folder, &log.identity, start)
            } else {
                File::options().append(true).open(&path).map_err(StorageError::io("open", &path))
            };
            match opened {
                Err(error) if error.is_out_of_descriptors() => {
                    if is_new {
                        // The file may exist, but its name is not durable yet.
                        let _ = std::fs::remove_file(&path);
                    }
                    if !self.0.is_empty() {
                        self.0.clear();
                        continue;
                    }
                    if queue.lock().is_stopping {
                        return Err(error);
                    }
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::error!(%error,
                            "no file descriptor is left, so messages wait for one; raise the limit of open files, or \
                            lower the number of connections");
                    }
                    std::thread::sleep(DESCRIPTOR_PAUSE);
                }
                opened => return opened,
            }
        }
    }
}

fn run(queue: &Queue) {
    let mut files = Files::default();
    while let Some(jobs) = queue.next_round() {
        files.0.retain(|_, known| !known.log.is_deleted());
        let mut by_log: Vec<(Arc<SharedLog>, Vec<Job>)> = Vec::new();
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
            if log.has_failed() || log.is_deleted() {
                continue;
            }
            let end = own.last().map_or(0, |job| job.end);
            let outcome = write(&mut files, &log, &own, queue).map(|()| end);
            if outcome.is_err() {
                files.0.remove(&address(&log));
            }
            // A log that was deleted meanwhile has no folder, so its failure does not matter.
            if !log.is_deleted() {
                log.committed(outcome);
            }
        }
    }
}

fn address(log: &Arc<SharedLog>) -> usize {
    Arc::as_ptr(log).addr()
}

/// Writes a log's entries and syncs them. At a change of segment the old segment is synced first.
fn write(files: &mut Files, log: &Arc<SharedLog>, jobs: &[Job], queue: &Queue) -> Result<(), StorageError> {
    for run in jobs.chunk_by(|a, b| a.segment.ledger == b.segment.ledger) {
        let Some(first) = run.first() else { continue };
        let path = segment::path(&log.folder, first.segment.ledger);
        let file = files.segment(log, &first.segment, queue)?;
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use super::{super::TopicIdentity, *};

    #[test]
    fn a_round_of_any_number_of_logs_keeps_no_more_files_open_than_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let (mut files, queue) = (Files::default(), Queue::default());
        for i in 0..OPEN_FILES + 40 {
            let topic = folder.path().join(i.to_string());
            std::fs::create_dir(&topic).unwrap();
            let log = Arc::new(SharedLog::new(topic, TopicIdentity::new("t")));
            let record = Record { bytes: "entry".into(), publish_time_ms: 1, message_count: 1 };
            let segment = Start { ledger: 0, base: 0, previous: None };
            let job = Job { log: Arc::clone(&log), segment, end: 1, record };
            write(&mut files, &log, &[job], &queue).unwrap();
            assert!(files.0.len() <= OPEN_FILES);
        }
    }
}
