//! One client connection: its signs of life, its bytes that wait for the disk, and what the broker withdrew from it.

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

/// Time that a client has to prove that it is alive, if another client wants what it holds.
pub(crate) const PROBE: Duration = Duration::from_secs(5);

/// What a client said about itself at CONNECT.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientInfo {
    /// Name and version of the library.
    pub version: String,
    /// Protocol version: the lower of both sides' versions.
    pub protocol_version: i32,
}

/// A producer of the client that the broker withdrew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithdrawnProducer {
    /// The broker closed the producer and told the client. SENDs that were under way are ignored.
    Closed(u64, CloseReason),
    /// The producer waited for its turn and was refused. Its id is free.
    Refused(u64),
}

/// Why the broker closes a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// Another producer took over the topic.
    TakenOver,
    /// The topic closes all of its producers.
    TopicClosed,
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
    /// In the order in which they were withdrawn, because an id may be used again in between.
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

    /// Returns what the client said at CONNECT; `None` before CONNECT.
    pub(crate) fn client(&self) -> Option<&ClientInfo> {
        self.client.get()
    }

    pub(crate) fn set_client(&self, info: ClientInfo) -> bool {
        self.client.set(info).is_ok()
    }

    /// Records a sign of life.
    pub(crate) fn heard(&self) {
        // Relaxed, because a prober only compares the number.
        self.frames_heard.fetch_add(1, Ordering::Relaxed);
        self.heard.notify_waiters();
    }

    pub(crate) fn frames_heard(&self) -> u64 {
        self.frames_heard.load(Ordering::Relaxed)
    }

    /// Pings the peer, and returns whether any frame of it arrives in time.
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
        // Set the mark before waking the waiters, which read it.
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

    /// Waits while more than `limit` bytes of the client are on their way to the disk.
    pub(crate) async fn wait_for_inflight(&self, limit: usize) {
        loop {
            let shrunk = self.inflight_shrunk.notified();
            if self.has_ended() || self.inflight_bytes.load(Ordering::Acquire) <= limit {
                return;
            }
            shrunk.await;
        }
    }

    /// Closes a producer and tells the client, which then connects the producer again by itself.
    pub(crate) fn close_producer(&self, producer_id: u64, reason: CloseReason) {
        self.withdraw_producer(WithdrawnProducer::Closed(producer_id, reason));
        self.outbound.push(Command::from(CommandCloseProducer {
            producer_id,
            request_id: u64::MAX,
            ..CommandCloseProducer::default()
        }));
    }

    /// Refuses a producer that waited for its turn, by a second answer to its PRODUCER.
    pub(crate) fn refuse_producer(&self, producer_id: u64, answer: CommandError) {
        self.withdraw_producer(WithdrawnProducer::Refused(producer_id));
        self.outbound.push(Command::from(answer));
    }

    /// Closes a consumer and tells the client, which then subscribes again by itself.
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

    // The note must exist before the client hears of it, because the client's next command must find the note.
    fn withdraw_producer(&self, producer: WithdrawnProducer) {
        self.withdrawn_producers.lock().unwrap_or_else(PoisonError::into_inner).push(producer);
    }
}
