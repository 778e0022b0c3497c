//! The shared state of one client connection: what producers and consumers live on it, and whether it is alive.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bitacora_pulsar_wire::{
    Command,
    proto::{CommandCloseConsumer, CommandCloseProducer, CommandPing},
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::Outbound;
use crate::{
    subscription::ConsumerKey,
    topic::{ProducerHandle, Subscription, Topic},
};

/// Server-side closes that one connection remembers, so that late SENDs are ignored and not taken for an error.
const REMEMBERED_CLOSES: usize = 1_000;

/// What a client told of itself.
#[derive(Debug, Clone, Default)]
pub struct ClientInfo {
    /// Name and version of the library.
    pub version: String,
    /// Protocol version, the lower of both sides.
    pub protocol_version: i32,
}

/// A producer id on a connection.
#[derive(Debug, Clone)]
pub(crate) enum ProducerSlot {
    /// PRODUCER is being worked on, or waits for its turn.
    Pending,
    /// It publishes.
    Ready(Arc<Topic>, Arc<ProducerHandle>),
    /// The broker closed it; late SENDs are ignored.
    ClosedByBroker,
}

/// A consumer id on a connection.
#[derive(Debug, Clone)]
pub(crate) enum ConsumerSlot {
    /// SUBSCRIBE is being worked on.
    Pending,
    /// It consumes.
    Ready(Arc<Topic>, Arc<Subscription>, ConsumerKey),
}

/// One client connection.
#[derive(Debug)]
pub struct Connection {
    /// Number of the connection, unique while the broker runs.
    pub id: u64,
    /// Address of the peer, or `local`.
    pub remote: String,
    /// Frames that wait to be written.
    pub outbound: Outbound,
    client: OnceLock<ClientInfo>,
    producers: Mutex<HashMap<u64, ProducerSlot>>,
    consumers: Mutex<HashMap<u64, ConsumerSlot>>,
    frames_heard: AtomicU64,
    heard: Notify,
    inflight_bytes: AtomicUsize,
    inflight_shrunk: Notify,
    ended: AtomicBool,
    end: Notify,
}

impl Connection {
    /// Creates the state of a new connection.
    pub fn new(id: u64, remote: String, outbound_bytes: usize) -> Self {
        Self {
            id,
            remote,
            outbound: Outbound::new(outbound_bytes),
            client: OnceLock::new(),
            producers: Mutex::default(),
            consumers: Mutex::default(),
            frames_heard: AtomicU64::new(0),
            heard: Notify::new(),
            inflight_bytes: AtomicUsize::new(0),
            inflight_shrunk: Notify::new(),
            ended: AtomicBool::new(false),
            end: Notify::new(),
        }
    }

    /// Gives what the client told at CONNECT; `None` before.
    pub fn client(&self) -> Option<&ClientInfo> {
        self.client.get()
    }

    pub(crate) fn set_client(&self, info: ClientInfo) -> bool {
        self.client.set(info).is_ok()
    }

    pub(crate) fn producers(&self) -> MutexGuard<'_, HashMap<u64, ProducerSlot>> {
        self.producers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn consumers(&self) -> MutexGuard<'_, HashMap<u64, ConsumerSlot>> {
        self.consumers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a sign of life.
    pub(crate) fn heard(&self) {
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

    /// Tells the client that a producer is closed by the broker; the client reconnects it.
    pub(crate) fn close_producer(&self, producer_id: u64) {
        let mut producers = self.producers();
        if producers.len() > REMEMBERED_CLOSES {
            producers.retain(|_, slot| !matches!(slot, ProducerSlot::ClosedByBroker));
        }
        producers.insert(producer_id, ProducerSlot::ClosedByBroker);
        drop(producers);
        self.outbound.push(Command::from(CommandCloseProducer {
            producer_id,
            request_id: u64::MAX,
            ..CommandCloseProducer::default()
        }));
    }

    /// Tells the client that a consumer is closed by the broker; the client subscribes again.
    pub(crate) fn close_consumer(&self, consumer_id: u64) {
        self.consumers().remove(&consumer_id);
        self.outbound.push(Command::from(CommandCloseConsumer {
            consumer_id,
            request_id: u64::MAX,
            ..CommandCloseConsumer::default()
        }));
    }
}
