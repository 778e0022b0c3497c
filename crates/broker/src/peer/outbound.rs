//! The queue of frames that wait to be written to one connection.
//!
//! The queue is bounded in bytes from two sides. Dispatch tasks push MESSAGE frames only while the queue is *writable*,
//! and are woken when it becomes writable again. Answers and receipts are always accepted, but the connection's reader
//! pauses while the queue is over-full, so that a client that sends without reading stops only itself.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bitacora_pulsar_wire::Frame;
use tokio::sync::Notify;

/// Most frames that the writer gets at once.
const BATCH_FRAMES: usize = 256;
const BATCH_BYTES: usize = 1 << 20;

/// Frames that wait to be written to one connection.
#[derive(Debug)]
pub(crate) struct Outbound {
    queue: Mutex<Queue>,
    filled: Notify,
    drained: Notify,
    writable_below_bytes: usize,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    waiting: Vec<Arc<Notify>>,
    closed: bool,
    finishing: bool,
}

impl Outbound {
    /// Creates a queue that accepts messages while it holds fewer than `writable_below_bytes`.
    pub(crate) fn new(writable_below_bytes: usize) -> Self {
        Self {
            queue: Mutex::new(Queue::default()),
            filled: Notify::new(),
            drained: Notify::new(),
            writable_below_bytes: writable_below_bytes.max(1),
        }
    }

    /// Appends a frame. It is dropped silently if the connection has ended.
    pub(crate) fn push(&self, frame: impl Into<Frame>) {
        self.push_all([frame.into()]);
    }

    /// Appends frames under one lock.
    pub(crate) fn push_all(&self, frames: impl IntoIterator<Item = Frame>) {
        let mut queue = self.lock();
        if queue.closed || queue.finishing {
            return;
        }
        for frame in frames {
            queue.bytes += footprint(&frame);
            queue.frames.push_back(frame);
        }
        drop(queue);
        self.filled.notify_one();
    }

    /// Returns whether dispatch may add messages. If not, `wake` is notified once it may.
    pub(crate) fn is_writable(&self, wake: &Arc<Notify>) -> bool {
        let mut queue = self.lock();
        if queue.closed || queue.bytes < self.writable_below_bytes {
            return true;
        }
        if !queue.waiting.iter().any(|known| Arc::ptr_eq(known, wake)) {
            queue.waiting.push(Arc::clone(wake));
        }
        false
    }

    /// Waits while the queue holds more than twice what dispatch may put into it.
    pub(crate) async fn wait_for_room(&self) {
        loop {
            let drained = self.drained.notified();
            {
                let queue = self.lock();
                if queue.closed || queue.bytes < 2 * self.writable_below_bytes {
                    return;
                }
            }
            drained.await;
        }
    }

    /// Waits for the next frames to write and returns them; `None` if the connection must end.
    pub(crate) async fn next_batch(&self) -> Option<Vec<Frame>> {
        loop {
            let filled = self.filled.notified();
            {
                let mut queue = self.lock();
                if queue.closed {
                    return None;
                }
                if !queue.frames.is_empty() {
                    return Some(self.take(&mut queue));
                }
                if queue.finishing {
                    queue.closed = true;
                    return None;
                }
            }
            filled.await;
        }
    }

    /// Ends the queue at once and drops its frames.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.frames.clear();
        queue.bytes = 0;
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        self.filled.notify_one();
        self.drained.notify_waiters();
        waiting.iter().for_each(|wake| wake.notify_one());
    }

    /// Ends the queue after its frames were written.
    pub(crate) fn finish(&self) {
        self.lock().finishing = true;
        self.filled.notify_one();
    }

    fn take(&self, queue: &mut Queue) -> Vec<Frame> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_FRAMES && bytes < BATCH_BYTES {
            let Some(frame) = queue.frames.pop_front() else { break };
            bytes += footprint(&frame);
            batch.push(frame);
        }
        queue.bytes = queue.bytes.saturating_sub(bytes);
        if queue.bytes < self.writable_below_bytes / 2 {
            queue.waiting.drain(..).for_each(|wake| wake.notify_one());
        }
        if queue.bytes < 2 * self.writable_below_bytes {
            self.drained.notify_waiters();
        }
        batch
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns approximately how many bytes of memory a queued frame holds.
fn footprint(frame: &Frame) -> usize {
    size_of::<Frame>() + frame.payload.as_ref().map_or(0, bytes::Bytes::len)
}
