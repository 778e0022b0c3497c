//! The file that keeps checkpoints: one `redb` database for each source, locked while the source runs.
//!
//! Table `checkpoint` has one row `current` (JSON of [`Checkpoint`]); table `catalog` has one row `current` (JSON of
//! the table descriptions that hold at the checkpoint); table `epoch` has a row for each base that the source has had;
//! table `mark` has a row for each topic and lane, of which a save writes those that changed; table `milestone` has
//! earlier checkpoints by their logical offset, and `milestone_catalog` the table descriptions that they name; table
//! `format` has one row `version`. A save is one durable transaction.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bitacora_data_folder::{Facts, caught, is_damage, make_folder, open_or_make, tighten};
use redb::{DatabaseError, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::epoch::Epoch;
use super::error::CheckpointError;
use super::format::{self, CATALOG, CHECKPOINT, CURRENT, EPOCH, MARK, MILESTONE, MILESTONE_CATALOG};
use super::mark::TopicMark;
use super::milestone::{Milestone, Milestones};
use super::point::Checkpoint;

/// What the store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saved {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The serialised table descriptions that hold there.
    pub catalog: Option<Vec<u8>>,
}

/// What a save stores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Save<'a> {
    /// The checkpoint, and the newest milestone of its base.
    pub checkpoint: &'a Checkpoint,
    /// The serialised table descriptions that hold there, if they changed.
    pub catalog: Option<&'a [u8]>,
    /// Ends of topics that changed.
    pub marks: &'a [TopicMark],
    /// Marks that hold no longer.
    pub gone: &'a [TopicMark],
    /// The clock, milliseconds since 1970.
    pub at_ms: u64,
}

impl<'a> Save<'a> {
    /// Creates a save of a checkpoint alone. `at_ms` is the clock.
    pub(crate) fn of(checkpoint: &'a Checkpoint, at_ms: u64) -> Save<'a> {
        Save { checkpoint, catalog: None, marks: &[], gone: &[], at_ms }
    }
}

/// What becomes of the marks of other bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormerMarks {
    /// They still count: their messages are part of what the topics must have.
    Keep,
    /// A new snapshot has taken the place of all that was sent before.
    Forget,
}

/// A row of table `milestone`.
#[derive(Debug, Serialize, Deserialize)]
struct MilestoneRow {
    checkpoint: Checkpoint,
    at_ms: u64,
    catalog: u64,
}

/// An open store; it is locked against other processes until dropped.
#[derive(Debug)]
pub(crate) struct CheckpointStore {
    database: Facts,
    path: PathBuf,
    // A std mutex: held while a save is under way, never across an await.
    milestones: Mutex<Milestones>,
}

impl CheckpointStore {
    /// Opens the store in `folder/checkpoint.redb`, or makes it.
    ///
    /// # Errors
    /// The folder cannot be made, another process holds the store, its format is newer, or the disk refuses.
    pub(crate) fn open(folder: &Path) -> Result<Self, CheckpointError> {
        make_folder(folder).map_err(|source| CheckpointError::Folder { path: folder.to_path_buf(), source })?;
        tighten(folder);
        let path = folder.join("checkpoint.redb");
        let database = open_or_make(&path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => CheckpointError::InUse { path: path.clone() },
            other => failed(&path, other),
        })?;
        let store = CheckpointStore { database, path, milestones: Mutex::default() };
        let newer = store.with(|| format::claim(&store.database).map_err(|error| store.failed(error)))?;
        if let Some(found) = newer {
            return Err(CheckpointError::NewerFormat { path: store.path, found });
        }
        let milestones = store.with(|| store.read_milestones())?;
        *store.milestones.lock().unwrap_or_else(PoisonError::into_inner) = milestones;
        Ok(store)
    }

    /// Reads the checkpoint, if there is one.
    ///
    /// # Errors
    /// The disk refuses, or the stored text cannot be understood.
    pub(crate) fn load(&self) -> Result<Option<Saved>, CheckpointError> {
        self.with(|| self.read())
    }

    fn read(&self) -> Result<Option<Saved>, CheckpointError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let table = read.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
        let Some(text) = table.get(CURRENT).map_err(|error| self.failed(error))? else { return Ok(None) };
        let checkpoint = self.parsed(text.value())?;
        let table = read.open_table(CATALOG).map_err(|error| self.failed(error))?;
        let catalog = table.get(CURRENT).map_err(|error| self.failed(error))?.map(|text| text.value().to_vec());
        Ok(Some(Saved { checkpoint, catalog }))
    }

    /// Replaces the checkpoint and whatever else is given, in one durable transaction. Milestones of another base are
    /// forgotten.
    ///
    /// # Errors
    /// The disk refuses; the former checkpoint then still holds.
    pub(crate) fn save(&self, save: &Save<'_>, former: FormerMarks) -> Result<(), CheckpointError> {
        self.with(|| self.write(save, former))
    }

    fn write(&self, save: &Save<'_>, former: FormerMarks) -> Result<(), CheckpointError> {
        let text = self.text(save.checkpoint)?;
        let mut milestones = self.milestones.lock().unwrap_or_else(PoisonError::into_inner);
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        self.write_marks(&write, save, former)?;
        let changed = self.write_milestone(&write, save, &milestones)?;
        {
            let mut table = write.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
            table.insert(CURRENT, text.as_slice()).map_err(|error| self.failed(error))?;
            if let Some(catalog) = save.catalog {
                let mut table = write.open_table(CATALOG).map_err(|error| self.failed(error))?;
                table.insert(CURRENT, catalog).map_err(|error| self.failed(error))?;
            }
        }
        write.commit().map_err(|error| self.failed(error))?;
        *milestones = changed;
        Ok(())
    }

    fn write_marks(
        &self,
        write: &WriteTransaction,
        save: &Save<'_>,
        former: FormerMarks,
    ) -> Result<(), CheckpointError> {
        let mut table = write.open_table(MARK).map_err(|error| self.failed(error))?;
        if former == FormerMarks::Forget {
            table.retain(|_, _| false).map_err(|error| self.failed(error))?;
        }
        for mark in save.gone {
            table.remove(mark.key().as_str()).map_err(|error| self.failed(error))?;
        }
        for mark in save.marks {
            table.insert(mark.key().as_str(), mark.value().as_slice()).map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Adds the checkpoint to the milestones and drops those that are kept no longer; returns the list as it is then.
    fn write_milestone(
        &self,
        write: &WriteTransaction,
        save: &Save<'_>,
        milestones: &Milestones,
    ) -> Result<Milestones, CheckpointError> {
        let mut table = write.open_table(MILESTONE).map_err(|error| self.failed(error))?;
        let mut catalogs = write.open_table(MILESTONE_CATALOG).map_err(|error| self.failed(error))?;
        let mut changed = if milestones.epoch == save.checkpoint.epoch {
            milestones.clone()
        } else {
            table.retain(|_, _| false).map_err(|error| self.failed(error))?;
            Milestones { epoch: save.checkpoint.epoch, list: Vec::new() }
        };
        // Versions come from memory: a row of this table may have megabytes.
        let newest = milestones.list.iter().map(|milestone| milestone.catalog).max();
        let catalog = match (save.catalog, newest) {
            (None, Some(newest)) => newest,
            (text, newest) => {
                let version = newest.map_or(0, |newest| newest + 1);
                let stored;
                let text = match text {
                    Some(text) => text,
                    // The first milestone of a store of the first format.
                    None => {
                        let table = write.open_table(CATALOG).map_err(|error| self.failed(error))?;
                        let current = table.get(CURRENT).map_err(|error| self.failed(error))?;
                        stored = current.map(|text| text.value().to_vec()).unwrap_or_default();
                        &stored
                    }
                };
                catalogs.insert(version, text).map_err(|error| self.failed(error))?;
                version
            }
        };
        let logical_offset = save.checkpoint.logical_offset;
        let ahead = logical_offset.saturating_add(1)..;
        table.retain_in(ahead, |_, _| false).map_err(|error| self.failed(error))?;
        for gone in changed.add(Milestone { logical_offset, at_ms: save.at_ms, catalog }) {
            table.remove(gone).map_err(|error| self.failed(error))?;
        }
        let row = MilestoneRow { checkpoint: save.checkpoint.clone(), at_ms: save.at_ms, catalog };
        table.insert(logical_offset, self.text(&row)?.as_slice()).map_err(|error| self.failed(error))?;
        for former in milestones.list.iter().filter(|former| !changed.uses_catalog(former.catalog)) {
            catalogs.remove(former.catalog).map_err(|error| self.failed(error))?;
        }
        Ok(changed)
    }

    /// Returns the milestones of the checkpoint's base whose logical offset is not above `logical_offset`, the newest
    /// first.
    ///
    /// # Errors
    /// The disk refuses, or the stored text cannot be understood.
    pub(crate) fn milestones(&self, logical_offset: u64) -> Result<Vec<Saved>, CheckpointError> {
        self.with(|| self.read_milestones_until(logical_offset))
    }

    fn read_milestones_until(&self, logical_offset: u64) -> Result<Vec<Saved>, CheckpointError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let table = read.open_table(MILESTONE).map_err(|error| self.failed(error))?;
        let catalogs = read.open_table(MILESTONE_CATALOG).map_err(|error| self.failed(error))?;
        let mut found = Vec::new();
        for row in table.range(..=logical_offset).map_err(|error| self.failed(error))?.rev() {
            let (_, text) = row.map_err(|error| self.failed(error))?;
            let row: MilestoneRow = self.parsed(text.value())?;
            let catalog = catalogs.get(row.catalog).map_err(|error| self.failed(error))?;
            found.push(Saved { checkpoint: row.checkpoint, catalog: catalog.map(|text| text.value().to_vec()) });
        }
        Ok(found)
    }

    /// Returns what the topics have confirmed, of all bases that still count.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn marks(&self) -> Result<Vec<TopicMark>, CheckpointError> {
        self.with(|| self.read_marks())
    }

    fn read_marks(&self) -> Result<Vec<TopicMark>, CheckpointError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let table = read.open_table(MARK).map_err(|error| self.failed(error))?;
        let mut marks = Vec::new();
        for row in table.iter().map_err(|error| self.failed(error))? {
            let (key, value) = row.map_err(|error| self.failed(error))?;
            marks.extend(TopicMark::parse(key.value(), value.value()));
        }
        Ok(marks)
    }

    fn read_milestones(&self) -> Result<Milestones, CheckpointError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let table = read.open_table(MILESTONE).map_err(|error| self.failed(error))?;
        let mut milestones = Milestones::default();
        for row in table.iter().map_err(|error| self.failed(error))? {
            let (logical_offset, text) = row.map_err(|error| self.failed(error))?;
            let row: MilestoneRow = self.parsed(text.value())?;
            milestones.epoch = row.checkpoint.epoch;
            let logical_offset = logical_offset.value();
            milestones.list.push(Milestone { logical_offset, at_ms: row.at_ms, catalog: row.catalog });
        }
        Ok(milestones)
    }

    fn text(&self, row: &impl Serialize) -> Result<Vec<u8>, CheckpointError> {
        serde_json::to_vec(row).map_err(|source| CheckpointError::Malformed { path: self.path.clone(), source })
    }

    fn parsed<'a, T: Deserialize<'a>>(&self, text: &'a [u8]) -> Result<T, CheckpointError> {
        serde_json::from_slice(text).map_err(|source| CheckpointError::Malformed { path: self.path.clone(), source })
    }

    /// Notes an epoch before the first message that carries it is sent: messages of a base that came to nothing are
    /// then known as the source's own.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn begin_epoch(&self, epoch: Epoch, began_ms: u64) -> Result<(), CheckpointError> {
        self.with(|| self.write_epoch(epoch, began_ms))
    }

    fn write_epoch(&self, epoch: Epoch, began_ms: u64) -> Result<(), CheckpointError> {
        let write = self.database.begin_write().map_err(|error| self.failed(error))?;
        {
            let mut table = write.open_table(EPOCH).map_err(|error| self.failed(error))?;
            table.insert(epoch.number(), began_ms).map_err(|error| self.failed(error))?;
        }
        write.commit().map_err(|error| self.failed(error))
    }

    /// Returns the epochs that the source has had, each with the time at which it began (milliseconds since 1970).
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn epochs(&self) -> Result<HashMap<Epoch, u64>, CheckpointError> {
        self.with(|| self.read_epochs())
    }

    fn read_epochs(&self) -> Result<HashMap<Epoch, u64>, CheckpointError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let table = read.open_table(EPOCH).map_err(|error| self.failed(error))?;
        let mut epochs = HashMap::new();
        for row in table.iter().map_err(|error| self.failed(error))? {
            let (epoch, began_ms) = row.map_err(|error| self.failed(error))?;
            epochs.insert(Epoch::from_number(epoch.value()), began_ms.value());
        }
        Ok(epochs)
    }

    /// Works with the file; damage that the library panics at is an error.
    fn with<T>(&self, work: impl FnOnce() -> Result<T, CheckpointError>) -> Result<T, CheckpointError> {
        caught(work).unwrap_or_else(|damage| Err(self.failed(damage)))
    }

    fn failed(&self, error: impl Into<redb::Error>) -> CheckpointError {
        failed(&self.path, error)
    }
}

fn failed(path: &Path, error: impl Into<redb::Error>) -> CheckpointError {
    let (path, source) = (path.to_path_buf(), Box::new(error.into()));
    if is_damage(&source) { CheckpointError::Damaged { path, source } } else { CheckpointError::Store { path, source } }
}
