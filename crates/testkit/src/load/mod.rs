//! A write load whose committed rows are known.
//!
//! The table is `carga.carga(id bigint primary key, clave int, n int, texto varchar(200))`. Every writer has ids of its
//! own. For each id `n` counts the inserts and updates, also across deletes, so that an event shows its place in the
//! history. Transactions have one or several rows: inserts, updates, deletes, re-inserts, changes of the primary key,
//! and rollbacks. [`History`] holds the committed changes, in order for each id; [`crate::delivery`] compares them with
//! what arrived.
//!
//! Life cycle: [`create_table`], [`Load::start`], and [`Load::stop`], which returns the history.

mod history;
mod options;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::DatabaseServer;
pub use history::{Change, History, RowState, Step};
pub use options::LoadOptions;
use writer::Writer;

/// Creates the database and the empty table of the load.
pub fn create_table(server: &DatabaseServer) {
    server.client(
        "CREATE DATABASE IF NOT EXISTS carga; DROP TABLE IF EXISTS carga.carga;
         CREATE TABLE carga.carga(
             id bigint NOT NULL PRIMARY KEY, clave int NOT NULL, n int NOT NULL, texto varchar(200))
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
                let writer = Writer::new(number, options);
                let (history, committed) = (Arc::clone(&history), Arc::clone(&committed));
                let (stopping, url) = (Arc::clone(&stopping), server.url());
                std::thread::spawn(move || writer.run(&url, &history, &committed, &stopping))
            })
            .collect();
        Load { history, committed, stopping, writers }
    }

    /// Returns the number of row changes committed so far.
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
