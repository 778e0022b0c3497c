//! A subscription as connected clients share it: the pure dispatcher, the handles of its consumers, and its marks.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bitacora_pulsar_wire::{Command, proto::CommandActiveConsumerChange};
use tokio::sync::Notify;

use super::handle::ConsumerHandle;
use crate::{
    clock::now_ms,
    subscription::{ActiveChange, ConsumerKey, Dispatcher},
};

/// `ACTIVE_CONSUMER_CHANGE` exists since this protocol version.
const ACTIVE_CHANGE_VERSION: i32 = 12;

/// Whether a subscription survives its last consumer and a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It survives.
    Durable,
    /// It ends with its last consumer.
    NonDurable,
}

/// A subscription with its consumers.
#[derive(Debug)]
pub(crate) struct Subscription {
    name: String,
    durability: Durability,
    properties: HashMap<String, String>,
    core: Mutex<Core>,
    pub(super) wake: Arc<Notify>,
    is_dirty: AtomicBool,
    is_closed: AtomicBool,
    /// When the last consumer left (ms since the epoch); 0 while there is one.
    idle_since_ms: AtomicU64,
}

/// Dispatcher and handles change together.
#[derive(Debug)]
pub(crate) struct Core {
    /// Who gets what.
    pub dispatcher: Dispatcher,
    /// The consumers' connections.
    pub handles: HashMap<ConsumerKey, Arc<ConsumerHandle>>,
}

impl Subscription {
    /// Creates a subscription without consumers. Nothing is dispatched before [`super::dispatch::start`].
    pub(super) fn new(
        name: String,
        durability: Durability,
        properties: HashMap<String, String>,
        dispatcher: Dispatcher,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            durability,
            properties,
            core: Mutex::new(Core { dispatcher, handles: HashMap::new() }),
            wake: Arc::new(Notify::new()),
            is_dirty: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            idle_since_ms: AtomicU64::new(now_ms()),
        })
    }

    /// Returns the name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether its cursor survives a restart.
    pub(crate) fn is_durable(&self) -> bool {
        self.durability == Durability::Durable
    }

    /// Returns the properties that were given at its creation.
    pub(crate) fn properties(&self) -> &HashMap<String, String> {
        &self.properties
    }

    /// Locks dispatcher and handles.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the task check again whether anything can be delivered.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Notes that the cursor moved since it was stored.
    pub(crate) fn mark_dirty(&self) {
        // Release, for the swap in `take_dirty`: the flush that clears the mark then stores the cursor as it was moved.
        self.is_dirty.store(true, Ordering::Release);
    }

    /// Returns whether the cursor moved since the last call, and clears the mark. A caller that then fails to store it
    /// marks it again.
    pub(crate) fn take_dirty(&self) -> bool {
        self.is_dirty.swap(false, Ordering::AcqRel)
    }

    /// Ends the task.
    pub(crate) fn close(&self) {
        // Before the wake, which the task answers by looking at the mark.
        self.is_closed.store(true, Ordering::Release);
        self.wake();
    }

    /// Returns whether the task has ended or is about to.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Returns since when (ms since the epoch) no consumer is connected; `None` while one is.
    pub(crate) fn idle_since_ms(&self) -> Option<u64> {
        Some(self.idle_since_ms.load(Ordering::Acquire)).filter(|since| *since > 0)
    }

    pub(super) fn note_members(&self, core: &Core) {
        let since = if core.handles.is_empty() { now_ms() } else { 0 };
        self.idle_since_ms.store(since, Ordering::Release);
    }

    /// Tells Failover consumers which of them is active.
    pub(crate) fn announce(&self, core: &Core, changes: &[ActiveChange]) {
        for change in changes {
            let Some(handle) = core.handles.get(&change.consumer) else { continue };
            if handle.connection.client().is_some_and(|c| c.protocol_version >= ACTIVE_CHANGE_VERSION) {
                handle.connection.outbound.push(Command::from(CommandActiveConsumerChange {
                    consumer_id: handle.consumer_id,
                    is_active: Some(change.is_active),
                }));
            }
        }
    }
}
