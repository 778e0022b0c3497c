//! A subscription with its connected consumers: the dispatcher, the consumers' handles, and the subscription's flags.

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

/// Clients know `ACTIVE_CONSUMER_CHANGE` since this protocol version.
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

/// The part of a subscription under its lock. Dispatcher and handles change together.
#[derive(Debug)]
pub(crate) struct Core {
    /// Decides which consumer gets which entry.
    pub dispatcher: Dispatcher,
    /// The connected consumers.
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

    /// Makes the dispatch task check again whether anything can be delivered.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Records that the cursor moved since it was stored.
    pub(crate) fn mark_dirty(&self) {
        // Release pairs with the swap in `take_dirty`: a flush that clears the mark then stores the moved cursor.
        self.is_dirty.store(true, Ordering::Release);
    }

    /// Returns whether the cursor moved since the last call, and clears the mark. If the caller then fails to store the
    /// cursor, it must set the mark again.
    pub(crate) fn take_dirty(&self) -> bool {
        self.is_dirty.swap(false, Ordering::AcqRel)
    }

    /// Ends the dispatch task.
    pub(crate) fn close(&self) {
        // The flag is set before the wake, because the task reads the flag when it is woken.
        self.is_closed.store(true, Ordering::Release);
        self.wake();
    }

    /// Returns whether the dispatch task has ended or is about to end.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Returns the time (ms since the epoch) since which no consumer is connected; `None` while one is.
    pub(crate) fn idle_since_ms(&self) -> Option<u64> {
        Some(self.idle_since_ms.load(Ordering::Acquire)).filter(|since| *since > 0)
    }

    pub(super) fn note_members(&self, core: &Core) {
        let since = if core.handles.is_empty() { now_ms() } else { 0 };
        self.idle_since_ms.store(since, Ordering::Release);
    }

    /// Sends ACTIVE_CONSUMER_CHANGE to Failover consumers.
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
