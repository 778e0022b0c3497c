//! All open connections.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

use super::Connection;

/// All open connections by number.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    is_closing: AtomicBool,
    removed: Notify,
}

impl Connections {
    /// Adds a connection.
    pub(crate) fn add(&self, remote: String, outbound_bytes: usize) -> Arc<Connection> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(id, remote, outbound_bytes));
        self.lock().insert(id, Arc::clone(&connection));
        if self.is_closing.load(Ordering::Acquire) {
            connection.end();
        }
        connection
    }

    /// Removes a connection.
    pub(crate) fn remove(&self, id: u64) {
        self.lock().remove(&id);
        self.removed.notify_waiters();
    }

    /// Returns the number of open connections.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Ends every connection after its queued frames were written.
    pub(crate) fn finish_all(&self) {
        self.is_closing.store(true, Ordering::Release);
        let open: Vec<Arc<Connection>> = self.lock().values().cloned().collect();
        open.iter().for_each(|connection| connection.finish());
    }

    /// Ends every connection at once.
    pub(crate) fn end_all(&self) {
        let open: Vec<Arc<Connection>> = self.lock().values().cloned().collect();
        open.iter().for_each(|connection| connection.end());
    }

    /// Waits until every connection has ended.
    pub(crate) async fn all_gone(&self) {
        loop {
            let removed = self.removed.notified();
            if self.count() == 0 {
                return;
            }
            removed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
