//! A write load whose committed rows are known.
//!
//! Table `carga.carga(id bigint primary key, clave int, n int, texto varchar(200))`. Every writer owns its ids. For each id
//! `n` counts its inserts and updates over its whole life, over deletes too, so that an event tells its place. Writers do
//! single and multi-row transactions: inserts, updates, deletes, re-inserts, changes of the primary key, and rollbacks.
//! [`History`] holds what was committed, in order for each id; [`crate::delivery`] compares it with what arrived.
//!
//! Life cycle: [`create_table`], [`Load::start`], [`Load::stop`] gives the history.

mod writer;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::DatabaseServer;

/// How much is written.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Seed of all choices; the same seed makes the same choices.
    pub seed: u64,
    /// Count of writers, each with its own session.
    pub writer_count: u32,
    /// Transactions in a second over all writers.
    pub transactions_per_s: f64,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions { seed: 1, writer_count: 4, transactions_per_s: 200.0 }
    }
}

/// What a committed statement did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The row appeared, also under the new key of a changed primary key.
    Insert,
    /// Columns other than the key changed.
    Update,
    /// The row went, also from the old key of a changed primary key.
    Delete,
}

/// The columns of a row besides its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowState {
    /// `clave`
    pub clave: i32,
    /// `n`: how often the row of this id had been written.
    pub n: i32,
    /// `texto`
    pub texto: String,
}

/// One committed change of the row of one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What happened.
    pub change: Change,
    /// The row afterwards; for a delete the row before it.
    pub row: RowState,
}

/// All committed changes, in order for each id.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Steps by id.
    pub steps: BTreeMap<i64, Vec<Step>>,
}

impl History {
    /// Counts the committed row changes.
    pub fn step_count(&self) -> usize {
        self.steps.values().map(Vec::len).sum()
    }
}

/// Creates database and table of the load, empty.
pub fn create_table(server: &DatabaseServer) {
    server.client(
        "CREATE DATABASE IF NOT EXISTS carga; DROP TABLE IF EXISTS carga.carga;
         CREATE TABLE carga.carga(id bigint NOT NULL PRIMARY KEY, clave int NOT NULL, n int NOT NULL, texto varchar(200))
         CHARSET utf8mb4",
    );
}

/// A running load.
#[derive(Debug)]
pub struct Load {
    history: Arc<Mutex<History>>,
    committed: Arc<AtomicU64>,
    stopping: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts the writers against the server.
    pub fn start(server: &DatabaseServer, options: &LoadOptions) -> Load {
        let history = Arc::new(Mutex::new(History::default()));
        let committed = Arc::new(AtomicU64::new(0));
        let stopping = Arc::new(AtomicBool::new(false));
        let writers = (0..options.writer_count)
            .map(|number| {
                let writer = writer::Writer::new(number, options);
                let (history, committed) = (Arc::clone(&history), Arc::clone(&committed));
                let (stopping, url) = (Arc::clone(&stopping), server.url());
                std::thread::spawn(move || writer.run(&url, &history, &committed, &stopping))
            })
            .collect();
        Load { history, committed, stopping, writers }
    }

    /// Counts the row changes committed so far.
    pub fn committed_count(&self) -> u64 {
        self.committed.load(Ordering::Relaxed)
    }

    /// Ends the writers after their current transaction and returns everything that was committed.
    pub fn stop(self) -> History {
        self.stopping.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.join().expect("a writer ends without panic");
        }
        std::mem::take(&mut *self.history.lock().expect("no writer panicked"))
    }
}
