//! The first snapshot: every captured row as of one position, then the checkpoint from which the stream goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bitacora_source::Position;
use bitacora_source::ddl::{Catalog, CharsetChoice, DdlRecord, NameCase, SnapshotDatabase, snapshot_records};
use bitacora_source::{Snapshot, SnapshotChunk, SnapshotContent, SnapshotOptions, SnapshotState};
use tokio::sync::mpsc;

use super::clock::{now_ms, now_ns, now_us};
use super::life::{Life, Resume};
use super::options::{DRAIN_LIMIT, plan_options, row_rules};
use super::position::checkpoint;
use super::status::SourceStatus;
use super::stored_catalog::catalog_text;
use super::worker::fallen;
use crate::checkpoint::{CheckpointStore, FormerMarks, Save, TopicMark};
use crate::error::{EngineError, ErrorClass};
use crate::pipeline::snapshot::{SnapshotTable, SnapshotWriter};
use crate::sink::Sink;
use crate::sink::pulsar::PulsarSink;
use bitacora_config::SnapshotMode;

/// Chunks between the reader and the writer.
const QUEUED_CHUNKS: usize = 3;

impl Life {
    /// Takes a snapshot and stores the checkpoint behind it; `None` if the source was stopped meanwhile. Each try
    /// begins a base.
    pub(super) async fn snapshot(&mut self, store: &Arc<CheckpointStore>) -> Result<Option<Resume>, EngineError> {
        let mut backoff = self.backoff();
        for attempt in 1_u32.. {
            let begun = Instant::now();
            let error = match self.try_snapshot(store).await {
                Err(error) if matches!(error.class(), ErrorClass::Retry | ErrorClass::BeginAgain) => error,
                done => return done,
            };
            let Some(pause) = backoff.next() else { return Err(error) };
            let pause = pause.max(rest(attempt, begun.elapsed()));
            tracing::warn!(source = %self.config.name, attempt, pause_ms = pause.as_millis(),
                "the snapshot begins again, and the rows that it has read come again: {error}");
            self.status.send_replace(SourceStatus::Waiting { reason: error.to_string() });
            if self.pause(pause).await {
                break;
            }
        }
        Ok(None)
    }

    async fn try_snapshot(&mut self, store: &Arc<CheckpointStore>) -> Result<Option<Resume>, EngineError> {
        let config = Arc::clone(&self.config);
        let rows_before = self.metrics.snapshot_row_count.get();
        let reads_rows = !matches!(config.snapshot.mode, SnapshotMode::NoData | SnapshotMode::Never);
        let options = SnapshotOptions {
            lock_timeout_ms: config.snapshot.lock_timeout_ms,
            content: if reads_rows { SnapshotContent::Rows } else { SnapshotContent::Shapes },
            ..SnapshotOptions::default()
        };
        let mut snapshot = tokio::select! {
            begun = Snapshot::begin(&config.server, &config.filter, &options) => begun?,
            _ = self.stopped.wait_for(|stopped| *stopped) => return Ok(None),
        };
        let position = match config.snapshot.mode {
            SnapshotMode::Never => snapshot.oldest_position().await?,
            _ => snapshot.position().clone(),
        };
        let tables = snapshot.tables().len();
        tracing::info!(source = %config.name, %position, exactness = ?snapshot.exactness(), tables, "snapshot begins");
        let (mut catalog, records) = self.describe(&snapshot);
        if config.snapshot.mode == SnapshotMode::Never {
            // The log begins before the tables were described.
            catalog.doubt_all();
        }
        self.check_columns(&catalog);
        // Before the rows are read, which may take hours in which the log could be reset.
        let log = self.log_at(snapshot.server(), &position).await?;
        let base = self.begin_base(store, snapshot.server())?;
        let sink = self.sink(store, &base)?;
        let Some(marks) = self.write(&mut snapshot, sink, &records, &position, reads_rows).await? else {
            return Ok(None);
        };
        let checkpoint = checkpoint(&position, log, now_ns(), &base);
        let text = catalog_text(&catalog)?;
        let save = Save { catalog: Some(&text), marks: &marks, ..Save::of(&checkpoint, now_ms()) };
        store.save(&save, FormerMarks::Forget)?;
        let rows = self.metrics.snapshot_row_count.get() - rows_before;
        tracing::info!(source = %config.name, rows, %position, "snapshot complete");
        Ok(Some(Resume { checkpoint, catalog: Arc::new(catalog) }))
    }

    /// The catalog of the snapshot's tables, and the statements that stand for them.
    fn describe(&self, snapshot: &Snapshot) -> (Catalog, Vec<DdlRecord>) {
        let defaults = snapshot.defaults();
        let choice = |charset: &str, collation: &str| CharsetChoice {
            charset: Some(charset.to_owned()),
            collation: Some(collation.to_owned()),
        };
        let server = choice(&defaults.charset, &defaults.collation);
        // The statements stand in Debezium's order, by name, wherever a table is read.
        let mut databases: Vec<SnapshotDatabase> = Vec::new();
        for table in snapshot.tables_by_name() {
            let statement = (table.map.table.clone(), table.create_statement.clone());
            match databases.last_mut() {
                Some(database) if database.name == table.map.database => database.tables.push(statement),
                _ => {
                    let found = defaults.databases.iter().find(|(name, _, _)| *name == table.map.database);
                    databases.push(SnapshotDatabase {
                        name: table.map.database.clone(),
                        charset: found
                            .map_or_else(CharsetChoice::default, |(_, charset, collation)| choice(charset, collation)),
                        tables: vec![statement],
                    });
                }
            }
        }
        let mut catalog = Catalog::new(server.clone());
        catalog.set_name_case(NameCase::of_setting(defaults.lower_case_table_names));
        let form = crate::pipeline::record_form(plan_options(&self.config).form);
        let records = snapshot_records(&mut catalog, &server, &databases, form);
        // The statements of SHOW CREATE TABLE lack what the server cannot print, so the descriptions come from the
        // snapshot.
        snapshot.tables().iter().filter_map(|table| table.table.clone()).for_each(|table| catalog.insert(table));
        (catalog, if self.config.include_schema_changes { records } else { Vec::new() })
    }

    /// Reads and writes all rows; returns where the topics end then, or `None` if the source was stopped meanwhile.
    async fn write(
        &mut self,
        snapshot: &mut Snapshot,
        sink: PulsarSink,
        records: &[DdlRecord],
        position: &Position,
        reads_rows: bool,
    ) -> Result<Option<Vec<TopicMark>>, EngineError> {
        let tables = snapshot
            .tables()
            .iter()
            .map(|table| SnapshotTable { map: Arc::clone(&table.map), description: table.description.clone() });
        let mut writer = SnapshotWriter::new(
            row_rules(&self.config, &self.notices),
            sink,
            Arc::clone(&self.metrics),
            tables.collect(),
            position.clone(),
            now_ns(),
        );
        let (chunks, mut taken) = mpsc::channel::<SnapshotChunk>(QUEUED_CHUNKS);
        let (emptied, mut empty) = mpsc::unbounded_channel();
        let records = records.to_vec();
        let given_up = Arc::new(AtomicBool::new(false));
        let is_given_up = Arc::clone(&given_up);
        let mut worker = tokio::task::spawn_blocking(move || {
            if !records.is_empty() {
                writer.write_statements(&records, now_us())?;
            }
            while let Some(chunk) = taken.blocking_recv().filter(|_| !is_given_up.load(Ordering::Relaxed)) {
                writer.write_rows(&chunk, now_us())?;
                let _ = emptied.send(chunk);
            }
            if is_given_up.load(Ordering::Relaxed) {
                return Ok(Vec::new());
            }
            writer.finish().map(|mut sink| sink.take_marks())
        });
        self.status.send_replace(SourceStatus::Snapshot(snapshot.progress()));
        let fed = if reads_rows { self.feed(snapshot, &chunks, &mut empty).await } else { Ok(true) };
        // The worker looks at the flag when the channel has brought a chunk or its end, so it is set before that end.
        given_up.store(fed.is_err(), Ordering::Relaxed);
        drop(chunks);
        if fed.is_err() {
            // A second writer beside this one would send rows of both attempts and take the topics from it.
            tokio::select! {
                _ = &mut worker => {}
                _ = self.stopped.wait_for(|stopped| *stopped) => {}
            }
        }
        let is_whole = fed?;
        tokio::select! {
            written = worker => {
                written.unwrap_or_else(|error| Err(fallen(error))).map(|marks| is_whole.then_some(marks))
            },
            // Messages that were sent get a bounded time to become durable.
            () = async {
                let _ = self.stopped.wait_for(|stopped| *stopped).await;
                tokio::time::sleep(DRAIN_LIMIT).await;
            } => Ok(None),
        }
    }

    /// Reads all rows and hands them to the writer; false if the source was stopped meanwhile.
    async fn feed(
        &mut self,
        snapshot: &mut Snapshot,
        chunks: &mpsc::Sender<SnapshotChunk>,
        empty: &mut mpsc::UnboundedReceiver<SnapshotChunk>,
    ) -> Result<bool, EngineError> {
        loop {
            let mut chunk = empty.try_recv().unwrap_or_default();
            let state = tokio::select! {
                state = snapshot.read_chunk(&mut chunk) => state?,
                _ = self.stopped.wait_for(|stopped| *stopped) => return Ok(false),
            };
            if state == SnapshotState::End {
                return Ok(true);
            }
            self.status.send_replace(SourceStatus::Snapshot(snapshot.progress()));
            // The writer has ended; waiting for its result says why.
            tokio::select! {
                sent = chunks.send(chunk) => if sent.is_err() { return Ok(true) },
                _ = self.stopped.wait_for(|stopped| *stopped) => return Ok(false),
            }
        }
    }
}

/// Pause before a snapshot begins again. Without it, tables that change all the time would make the server read all
/// others without end. From the second time on, the pause is half of what the attempt took.
fn rest(attempt: u32, attempt_took: Duration) -> Duration {
    const LONGEST: Duration = Duration::from_secs(300);
    if attempt < 2 { Duration::ZERO } else { LONGEST.min(attempt_took / 2) }
}
