//! The version of a store's layout, and the step from the first one.

use bitacora_data_folder::Facts;
use redb::{ReadableTable, TableDefinition};

/// Version of the layout that this program writes. Format 1 had no epochs: its checkpoint is read as it is, and becomes
/// one of this format when the store is opened.
pub(super) const FORMAT: u64 = 2;
const VERSION: TableDefinition<'_, &str, u64> = TableDefinition::new("format");
pub(super) const CHECKPOINT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("checkpoint");
pub(super) const CATALOG: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("catalog");
/// Epochs that the source has had, with the time at which each began (milliseconds since 1970).
pub(super) const EPOCH: TableDefinition<'_, u64, u64> = TableDefinition::new("epoch");
/// Ends of topics; see [`super::TopicMark`].
pub(super) const MARK: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("mark");
/// Earlier checkpoints of the base, by logical offset.
pub(super) const MILESTONE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("milestone");
/// Table descriptions that milestones name, by version.
pub(super) const MILESTONE_CATALOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("milestone_catalog");
pub(super) const CURRENT: &str = "current";

/// Creates the tables of a new store and marks it with the present format; a store of an older format becomes one.
/// Returns the version that was found where it is newer than this program.
pub(super) fn claim(database: &Facts) -> Result<Option<u64>, redb::Error> {
    let write = database.begin_write()?;
    {
        let mut table = write.open_table(VERSION)?;
        let found = table.get("version")?.map(|version| version.value());
        match found {
            Some(found) if found > FORMAT => return Ok(Some(found)),
            Some(FORMAT) => {}
            _ => {
                table.insert("version", FORMAT)?;
            }
        }
        write.open_table(CHECKPOINT)?;
        write.open_table(CATALOG)?;
        write.open_table(EPOCH)?;
        write.open_table(MARK)?;
        write.open_table(MILESTONE)?;
        write.open_table(MILESTONE_CATALOG)?;
    }
    write.commit()?;
    Ok(None)
}
