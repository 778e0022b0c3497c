//! Descriptions of tables that are captured since this start.

use std::sync::Arc;

use bitacora_source::TableName;
use bitacora_source::ddl::{Catalog, NameCase};
use bitacora_source::schema::missing_tables;

use super::clock::now_ms;
use super::life::Life;
use super::stored_catalog::catalog_text;
use crate::checkpoint::{Checkpoint, CheckpointStore, FormerMarks, Save};
use crate::error::EngineError;

impl Life {
    /// Asks the server for the tables that were added to the configuration, which the stored catalog lacks. It does not
    /// ask for the others: they followed the log, and the server is ahead of the place where the source reads.
    pub(super) async fn complete(
        &mut self,
        store: &CheckpointStore,
        checkpoint: &Checkpoint,
        mut catalog: Arc<Catalog>,
    ) -> Result<Arc<Catalog>, EngineError> {
        let known = |name: &TableName, names: NameCase| {
            let known = catalog.table(&name.database, &name.table);
            // A catalog of an earlier version found tables in any case.
            known.is_some_and(|table| names != NameCase::Sensitive || table.name == *name)
        };
        let config = Arc::clone(&self.config);
        let Some(missing) = self.until_answered(|| missing_tables(&config.server, &config.filter, known)).await? else {
            // The stream sees at once that the source was stopped.
            return Ok(catalog);
        };
        if missing.tables.is_empty() && catalog.name_case() == missing.names {
            return Ok(catalog);
        }
        let known = Arc::make_mut(&mut catalog);
        known.set_name_case(missing.names);
        for table in missing.tables {
            tracing::info!(source = %self.config.name, table = %table.name,
                "a table is captured that was not before; its rows up to now are not read");
            known.insert_later(table);
        }
        let text = catalog_text(&catalog)?;
        let save = Save { catalog: Some(&text), ..Save::of(checkpoint, now_ms()) };
        store.save(&save, FormerMarks::Keep)?;
        Ok(catalog)
    }
}
