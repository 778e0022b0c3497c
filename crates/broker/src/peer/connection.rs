//! One client connection: whether it is alive, what waits for the disk, and what the broker withdrew from it.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bitacora_pulsar_wire::{
    Command,
    proto::{CommandCloseConsumer, CommandCloseProducer, CommandError, CommandPing},
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::Outbound;

/// How long a client may take to prove that it is alive, when another one wants what it holds.
pub(crate) const PROBE: Duration = Duration::from_secs(5);

/// What a client told of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientInfo {
    /// Name and version of the library.
    pub version: String,
    /// Protocol version, the lower of both sides.
    pub protocol_version: i32,
}

/// A producer of the client that the broker took away by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithdrawnProducer {
    /// It was closed and told so; SENDs that were on their way are ignored.
    Closed(u64),
    /// It waited for its turn and was refused; its id is free.
    Refused(u64),
}

/// One client connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Number of the connection, unique while the broker runs.
    pub id: u64,
    /// Address of the peer, or `local`.
    pub remote: String,
    /// Frames that wait to be written.
    pub outbound: Outbound,
    client: OnceLock<ClientInfo>,
    /// In the order in which they were withdrawn: an id may be used again in between.
    withdrawn_producers: Mutex<Vec<WithdrawnProducer>>,
    withdrawn_consumers: Mutex<Vec<u64>>,
    frames_heard: AtomicU64,
    heard: Notify,
    inflight_bytes: AtomicUsize,
    inflight_shrunk: Notify,
    ended: AtomicBool,
    end: Notify,
}

impl Connection {
    /// Creates the state of a new connection.
    pub(crate) fn new(id: u64, remote: String, outbound_bytes: usize) -> Self {
        Self {
            id,
            remote,
            outbound: Outbound::new(outbound_bytes),
            client: OnceLock::new(),
            withdrawn_producers: Mutex::default(),
            withdrawn_consumers: Mutex::default(),
            frames_heard: AtomicU64::new(0),
            heard: Notify::new(),
            inflight_bytes: AtomicUsize::new(0),
            inflight_shrunk: Notify::new(),
            ended: AtomicBool::new(false),
            end: Notify::new(),
        }
    }

    /// Returns what the client told at CONNECT; `None` before.
    pub(crate) fn client(&self) -> Option<&ClientInfo> {
        self.client.get()
    }

    pub(crate) fn set_client(&self, info: ClientInfo) -> bool {
        self.client.set(info).is_ok()
    }

    /// Notes a sign of life.
    pub(crate) fn heard(&self) {
        // Relaxed: a prober compares the number alone.
        self.frames_heard.fetch_add(1, Ordering::Relaxed);
        self.heard.notify_waiters();
    }

    pub(crate) fn frames_heard(&self) -> u64 {
        self.frames_heard.load(Ordering::Relaxed)
    }

    /// Asks the peer for a sign of life and waits for any frame of it.
    pub(crate) async fn is_alive(&self, within: Duration) -> bool {
        let before = self.frames_heard();
        let deadline = Instant::now() + within;
        self.outbound.push(Command::from(CommandPing {}));
        loop {
            let heard = self.heard.notified();
            if self.has_ended() {
                return false;
            }
            if self.frames_heard() != before {
                return true;
            }
            if timeout(deadline.saturating_duration_since(Instant::now()), heard).await.is_err() {
                return self.frames_heard() != before;
            }
        }
    }

    /// Ends the connection at once.
    pub(crate) fn end(&self) {
        // Before the waiters are woken: they look at the mark.
        self.ended.store(true, Ordering::Release);
        self.outbound.close();
        self.end.notify_waiters();
        self.heard.notify_waiters();
        self.inflight_shrunk.notify_waiters();
    }

    /// Ends the connection after what is queued has been written.
    pub(crate) fn finish(&self) {
        self.outbound.finish();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Waits for [`Connection::end`].
    pub(crate) async fn ended(&self) {
        loop {
            let end = self.end.notified();
            if self.has_ended() {
                return;
            }
            end.await;
        }
    }

    pub(crate) fn add_inflight(&self, bytes: usize) {
        self.inflight_bytes.fetch_add(bytes, Ordering::AcqRel);
    }

    pub(crate) fn release_inflight(&self, bytes: usize) {
        self.inflight_bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.inflight_shrunk.notify_waiters();
    }

    /// Waits while the client has more than `limit` bytes on their way to the disk.
    pub(crate) async fn wait_for_inflight(&self, limit: usize) {
        loop {
            let shrunk = self.inflight_shrunk.notified();
            if self.has_ended() || self.inflight_bytes.load(Ordering::Acquire) <= limit {
                return;
            }
            shrunk.await;
        }
    }

    /// Closes a producer by the broker's will and tells the client, which connects it again by itself.
    pub(crate) fn close_producer(&self, producer_id: u64) {
        self.withdraw_producer(WithdrawnProducer::Closed(producer_id));
        self.outbound.push(Command::from(CommandCloseProducer {
            producer_id,
            request_id: u64::MAX,
            ..CommandCloseProducer::default()
        }));
    }

    /// Refuses a producer that waited for its turn; answers its PRODUCER a second time.
    pub(crate) fn refuse_producer(&self, producer_id: u64, answer: CommandError) {
        self.withdraw_producer(WithdrawnProducer::Refused(producer_id));
        self.outbound.push(Command::from(answer));
    }

    /// Closes a consumer by the broker's will and tells the client, which subscribes again.
    pub(crate) fn close_consumer(&self, consumer_id: u64) {
        self.withdrawn_consumers.lock().unwrap_or_else(PoisonError::into_inner).push(consumer_id);
        self.outbound.push(Command::from(CommandCloseConsumer {
            consumer_id,
            request_id: u64::MAX,
            ..CommandCloseConsumer::default()
        }));
    }

    /// Returns the producers that were withdrawn since the last call, oldest first.
    pub(crate) fn take_withdrawn_producers(&self) -> Vec<WithdrawnProducer> {
        std::mem::take(&mut *self.withdrawn_producers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the consumers that were closed since the last call.
    pub(crate) fn take_withdrawn_consumers(&self) -> Vec<u64> {
        std::mem::take(&mut *self.withdrawn_consumers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    // Noted before the client is told: its answer must find the note.
    fn withdraw_producer(&self, producer: WithdrawnProducer) {
        self.withdrawn_producers.lock().unwrap_or_else(PoisonError::into_inner).push(producer);
    }
}
