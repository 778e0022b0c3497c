//! Reads rows into chunks.

use bitacora_binlog::encode::{ImageWriter, Value};

use super::chunk::{SnapshotChunk, SnapshotProgress, SnapshotState};
use super::column::Treatment;
use super::shape::{FREE, Held, Release, changed, hold, left_out, refuse_renamed};
use super::state::{Open, Snapshot, SnapshotTable};
use super::uncovered::AHEAD_BYTES;
use crate::Error;
use crate::wire::{BufferedRow, TextRow};

impl Snapshot {
    /// Reads the next rows into `chunk`, replacing what it held. All rows of a chunk belong to one table; a table
    /// without rows has no chunk. Nothing is read from the server between two calls. The first call reads tables
    /// without a consistent view in advance, because they are locked until then.
    ///
    /// # Errors
    /// [`Error::Value`] for a value that the column's type does not allow; [`Error::SnapshotAgain`] if a table was
    /// changed after the snapshot began; those of the connection.
    pub async fn read_chunk(&mut self, chunk: &mut SnapshotChunk) -> Result<SnapshotState, Error> {
        if self.uncovered.is_some() && self.ahead.is_empty() {
            self.read_ahead().await?;
        }
        match self.ahead.pop_front() {
            Some(read) => {
                *chunk = read;
                Ok(SnapshotState::Rows)
            }
            None => self.read_next(chunk).await,
        }
    }

    /// Reads locked tables into memory, up to [`AHEAD_BYTES`], so that their locks are released early.
    async fn read_ahead(&mut self) -> Result<(), Error> {
        let mut bytes = 0;
        while self.uncovered.is_some() && bytes < AHEAD_BYTES {
            let mut chunk = SnapshotChunk::new();
            if self.read_next(&mut chunk).await? == SnapshotState::End {
                break;
            }
            bytes += chunk.images.len();
            self.ahead.push_back(chunk);
        }
        Ok(())
    }

    async fn read_next(&mut self, chunk: &mut SnapshotChunk) -> Result<SnapshotState, Error> {
        chunk.clear();
        if !self.open_next().await? {
            return Ok(SnapshotState::End);
        }
        chunk.table_index = self.reading.table_index;
        chunk.first_row = self.reading.table_rows;
        let Some(table) = self.tables.get(self.reading.table_index) else { return Ok(SnapshotState::End) };
        // Locked tables are read by the session that holds their locks.
        let connection = match &mut self.uncovered {
            Some(lock) => lock.session(),
            None => &mut self.connection,
        };
        loop {
            let full = chunk.images.len() >= self.reading.chunk_bytes;
            match connection.buffered_row().map_err(|error| changed(error, &table.facts.name))? {
                BufferedRow::Row(_) if full => {
                    connection.put_back_row();
                    break;
                }
                BufferedRow::Row(row) => {
                    put_row(table, row, &mut chunk.images)?;
                    chunk.row_count += 1;
                }
                BufferedRow::Wait => connection.fill_in_time("reading rows").await?,
                BufferedRow::End => {
                    self.count(chunk);
                    self.close_table().await?;
                    chunk.table_end = true;
                    chunk.snapshot_end = !self.open_next().await?;
                    return Ok(SnapshotState::Rows);
                }
            }
        }
        self.count(chunk);
        Ok(SnapshotState::Rows)
    }

    /// Returns how much is read.
    pub fn progress(&self) -> SnapshotProgress {
        let estimate: u64 = self.tables.iter().filter_map(|table| table.facts.row_estimate).sum();
        SnapshotProgress {
            table_count_done: self.reading.table_index,
            table_count: self.tables.len(),
            row_count: self.reading.rows,
            row_estimate: estimate.max(self.reading.rows),
        }
    }

    fn count(&mut self, chunk: &SnapshotChunk) {
        self.reading.table_rows += u64::from(chunk.row_count);
        self.reading.rows += u64::from(chunk.row_count);
    }

    /// Opens the next table that has rows, and returns whether there is one.
    async fn open_next(&mut self) -> Result<bool, Error> {
        loop {
            match self.reading.open {
                Open::Yes => return Ok(true),
                Open::Done => return Ok(false),
                Open::No => {}
            }
            if self.reading.table_index >= self.uncovered_count {
                // All locked tables are read. Closing the session releases the locks.
                self.uncovered = None;
            }
            let Some(table) = self.tables.get(self.reading.table_index) else {
                // ROLLBACK, because a COMMIT would make MariaDB write the savepoints to its binlog. If the server is a
                // replica, it would then have a transaction that its own source lacks.
                self.connection.execute("ROLLBACK").await?;
                self.reading.open = Open::Done;
                return Ok(false);
            };
            let name = &table.facts.name;
            let connection = match &mut self.uncovered {
                Some(lock) => lock.session(),
                None => {
                    let connection = &mut self.connection;
                    let (statement, created) = (&table.create_statement, table.created.as_deref());
                    if hold(connection, &mut self.look, name, statement, created, self.release).await? == Held::Gone {
                        let known: Vec<_> =
                            self.tables.iter().map(|table| (&table.facts.name, table.created.as_deref())).collect();
                        refuse_renamed(connection, &mut self.look, &self.filter, name, &known, self.release).await?;
                        left_out(name);
                        self.close_table().await?;
                        continue;
                    }
                    connection
                }
            };
            let columns = connection.start_query(&table.select).await.map_err(|error| changed(error, name))?;
            if columns.len() != table.treatments.len() {
                return Err(connection.malformed("result of a table"));
            }
            match connection.next_row().await.map_err(|error| changed(error, name))? {
                Some(_) => {
                    connection.put_back_row();
                    self.reading.open = Open::Yes;
                }
                None => self.close_table().await?,
            }
        }
    }

    /// Goes on to the next table, and lets other sessions alter the one that was read.
    async fn close_table(&mut self) -> Result<(), Error> {
        if self.uncovered.is_none() && self.release == Release::EachTable {
            self.connection.execute(FREE).await?;
        }
        self.reading.table_index += 1;
        self.reading.table_rows = 0;
        self.reading.open = Open::No;
        Ok(())
    }
}

/// Appends the image of one row.
#[inline]
fn put_row(table: &SnapshotTable, mut row: TextRow<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut image = ImageWriter::begin(&table.map, out);
    for (index, treatment) in table.treatments.iter().enumerate() {
        let cell = row.cell().ok_or_else(|| refused(table, index, "the row ends before it".into()))?;
        let written = match (cell, treatment) {
            (None, _) => image.null(),
            (Some(cell), Treatment::Plain) => image.text(cell),
            (Some(cell), Treatment::CutZeros) => image.text(without_zeros(cell)),
            (Some(cell), Treatment::Number) => match number(cell) {
                Some(number) => image.value(Value::Unsigned(number)),
                None => return Err(refused(table, index, "it is not a number".into())),
            },
        };
        written.map_err(|error| refused(table, index, reason(error)))?;
    }
    image.finish().map_err(|error| refused(table, 0, reason(error)))
}

/// Returns why a value was refused. The text does not show the value, which may be one that the events mask.
fn reason(error: bitacora_binlog::Error) -> String {
    match error {
        bitacora_binlog::Error::Encode { reason, .. } => reason.to_owned(),
        other => other.to_string(),
    }
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cold]
fn refused(table: &SnapshotTable, index: usize, reason: String) -> Error {
    let column = table.map.columns.get(index);
    Error::Value {
        database: table.map.database.clone(),
        table: table.map.table.clone(),
        column: column.and_then(|column| column.name.clone()).unwrap_or_default(),
        reason: reason.trim_end_matches('.').to_owned(),
    }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bitacora_binlog::{Column, ColumnType, TableMap};

    use super::*;

    /// A refused value ends the source with a sentence in the log, which must not show the value.
    #[test]
    fn a_value_that_cannot_be_taken_is_not_shown() {
        let column = Column { name: Some("c".into()), ..Column::new(ColumnType::TINY, 0) };
        let table = TableMap::synthesize("db", "t", vec![column], Vec::new()).unwrap();
        let mut bytes = Vec::new();
        let error = ImageWriter::begin(&table, &mut bytes).text(b"s3creta").unwrap_err();
        assert!(error.to_string().contains("s3creta"));
        assert_eq!(reason(error), "it is not a number of the column's range");
    }
}
