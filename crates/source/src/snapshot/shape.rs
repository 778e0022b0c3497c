//! Reads the shapes of the captured tables without a lock, and proves before each table is read that its shape is
//! still the same.
//!
//! A view keeps rows, but not definitions: `SHOW CREATE TABLE` prints the present one. So all shapes are read before
//! the view is opened. They are compared again when the view's session holds the table's metadata lock, before the
//! first row is read. The comparison includes the creation time, because another table with the same columns may have
//! been renamed to this name. On MySQL only a session outside the view sees that time (see `look`).

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::look::{Look, creation_times};
use crate::ddl::Table as DescribedTable;
use crate::schema::{self, ServerDefaults, TableFacts};
use crate::wire::Connection;
use crate::{Error, Filter, TableName, quoted};

/// What is known about a table before its rows are read.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) facts: TableFacts,
    /// The description of the table that the stream would have.
    pub(super) described: Option<DescribedTable>,
    pub(super) create_statement: String,
    pub(super) created: Option<String>,
}

/// Shapes of all captured tables.
#[derive(Debug)]
pub(super) struct Shapes {
    pub(super) tables: Vec<Shape>,
    pub(super) defaults: ServerDefaults,
}

/// `ER_TABLE_DEF_CHANGED`: the table was created or altered after the view was opened.
const CHANGED: u16 = 1412;

/// Most times that the list of tables is read again to find new ones. A server that keeps creating tables would never
/// let the reading end; [`refuse_unknown`] finds those that it creates later.
const ROUNDS: usize = 10;

impl Shapes {
    /// Reads the shapes, in the order of [`schema::list_tables`]. A table that is dropped meanwhile is left out; one
    /// that is created meanwhile is included.
    pub(super) async fn read(connection: &mut Connection, filter: &Filter) -> Result<Shapes, Error> {
        let mut tables: Vec<Shape> = Vec::new();
        for _ in 0..ROUNDS {
            let known: HashSet<&TableName> = tables.iter().map(|shape| &shape.facts.name).collect();
            let mut new = schema::list_tables(connection, filter).await?;
            new.retain(|name| !known.contains(name));
            if new.is_empty() {
                break;
            }
            tables.extend(read_shapes(connection, new).await?);
        }
        schema::sort_tables(&mut tables, |shape| &shape.facts.name);
        let defaults = schema::server_defaults(connection).await?;
        Ok(Shapes { tables, defaults })
    }
}

/// Reads the shapes of these tables: creation time and `SHOW CREATE TABLE` first, the description after them. If
/// [`hold`] later finds those two unchanged, the description, which was read in between, is still right too.
async fn read_shapes(connection: &mut Connection, found: Vec<TableName>) -> Result<Vec<Shape>, Error> {
    let mut times = creation_times(connection, &found).await?;
    let mut names = Vec::with_capacity(found.len());
    let mut creates = Vec::with_capacity(found.len());
    for name in found {
        match schema::show_create_table(connection, &name).await {
            Ok(statement) => {
                creates.push((statement, times.remove(&name)));
                names.push(name);
            }
            Err(error) if error.is_table_gone() => left_out(&name),
            Err(error) => return Err(error),
        }
    }
    let facts = schema::describe(connection, &names).await?;
    let mut facts = facts.into_iter().peekable();
    let mut tables = Vec::with_capacity(names.len());
    for (name, (create_statement, created)) in names.into_iter().zip(creates) {
        match facts.next_if(|facts| facts.name == name) {
            Some(mut facts) => {
                let described = schema::table(connection, &name, &create_statement).await?;
                facts.take_labels(described.as_ref());
                tables.push(Shape { facts, described, create_statement, created });
            }
            None => left_out(&name),
        }
    }
    Ok(tables)
}

pub(super) fn left_out(name: &TableName) {
    tracing::warn!(table = %name, "a table was dropped before its rows were read, so it is left out");
}

/// When the metadata lock of a table that was read is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// After the table's last row, by rolling back to a savepoint.
    EachTable,
    /// At the end of the snapshot. MariaDB logs a savepoint, even in a transaction that changes nothing, unless the
    /// session is kept out of the binlog. An event of the snapshot would break replicas that insist on the order of
    /// GTIDs.
    Together,
}

/// Whether a table still exists when its rows are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    /// The table was dropped or renamed.
    Gone,
}

/// Takes the table's metadata lock in the view's transaction, and compares the shape with `create_statement` and
/// `created`. Leaves the session with results in each column's own character set.
///
/// # Errors
/// [`Error::SnapshotAgain`] if the table was altered or replaced; those of the connection.
pub(super) async fn hold(
    connection: &mut Connection,
    look: &mut Look,
    name: &TableName,
    create_statement: &str,
    created: Option<&str>,
    release: Release,
) -> Result<Held, Error> {
    if release == Release::EachTable {
        connection.execute(SAVEPOINT).await?;
    }
    let touch = format!("SELECT 1 FROM {}.{} LIMIT 0", quoted(&name.database), quoted(&name.table));
    let show = format!("SHOW CREATE TABLE {}.{}", quoted(&name.database), quoted(&name.table));
    let statements =
        ["SET SESSION character_set_results = utf8mb4", &touch, &show, "SET SESSION character_set_results = NULL"];
    let answers = match connection.query_batch(&statements).await {
        Ok(answers) => answers,
        Err(error) if error.is_table_gone() => return Ok(Held::Gone),
        Err(error) => return Err(changed(error, name)),
    };
    let now = answers.get(2).and_then(|shown| Some(String::from_utf8_lossy(shown.first()?.bytes(1)?).into_owned()));
    let now = now.ok_or_else(|| connection.malformed("answer to SHOW CREATE TABLE"))?;
    // The metadata lock prevents a rename from here on, so the creation time belongs to the table that will be read.
    if without_counter(&now) != without_counter(create_statement)
        || look.creation_time(name).await?.as_deref() != created
    {
        return Err(again(name, "was altered or replaced"));
    }
    Ok(Held::Yes)
}

/// Sets the savepoint before a table is read.
const SAVEPOINT: &str = "SAVEPOINT before_table";

/// Releases the metadata locks that were taken since [`hold`] and keeps the view: other sessions can alter the table
/// from now on.
pub(super) const FREE: &str = "ROLLBACK TO SAVEPOINT before_table";

/// Turns the error for a table that changed during the snapshot into [`Error::SnapshotAgain`], and returns any other
/// error unchanged.
pub(super) fn changed(error: Error, name: &TableName) -> Error {
    match error {
        Error::Server { code: CHANGED, .. } => again(name, "was altered, emptied or replaced"),
        error if error.is_table_gone() => gone(name),
        other => other,
    }
}

/// Returns the error for a table that was dropped or renamed and cannot be left out.
pub(super) fn gone(name: &TableName) -> Error {
    again(name, "was dropped or renamed")
}

fn again(name: &TableName, what: &str) -> Error {
    Error::SnapshotAgain {
        reason: format!("{name} {what} after the snapshot began and before its rows were read"),
        remedy: "Change tables before or after the snapshot, or exclude tables that change all the time".into(),
    }
}

/// Longest life of a table that an application creates only for a moment.
const PASSING: Duration = Duration::from_secs(2);
/// Pause before the tables are listed again while an unknown one may still be dropped.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Refuses captured tables that the view has and the shapes lack, because they were created or renamed in between:
/// their rows would be in neither snapshot nor stream. A table that was created after the view was opened is harmless:
/// the stream has all of it, and the server refuses to read it in the view. A table that is dropped within [`PASSING`]
/// is harmless too, because it has no rows any more.
///
/// # Errors
/// [`Error::SnapshotAgain`] if there is such a table; those of the connection.
pub(super) async fn refuse_unknown(
    connection: &mut Connection,
    look: &mut Look,
    filter: &Filter,
    known: &[TableName],
    release: Release,
) -> Result<(), Error> {
    // A set, because servers may have tens of thousands of tables.
    let known: HashSet<&TableName> = known.iter().collect();
    let until = Instant::now() + PASSING;
    while let Some(name) = unknown_table(connection, look, filter, &known, release).await? {
        // With `Release::Together` the look itself keeps the table locked, so waiting for a DROP would be in vain.
        if release == Release::Together || Instant::now() >= until {
            return Err(again(&name, "appeared"));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// Returns a captured table that the view has and `known` lacks, if there is one.
async fn unknown_table(
    connection: &mut Connection,
    look: &mut Look,
    filter: &Filter,
    known: &HashSet<&TableName>,
    release: Release,
) -> Result<Option<TableName>, Error> {
    for name in look.list_tables(filter).await? {
        if known.contains(&name) {
            continue;
        }
        if release == Release::EachTable {
            connection.execute(SAVEPOINT).await?;
        }
        let touch = format!("SELECT 1 FROM {}.{} LIMIT 1", quoted(&name.database), quoted(&name.table));
        let is_readable = match connection.query(&touch).await {
            Ok(_) => true,
            Err(Error::Server { code: CHANGED, .. }) => false,
            Err(error) if error.is_table_gone() => false,
            Err(error) => return Err(error),
        };
        if release == Release::EachTable {
            // The server keeps the table's metadata lock even if it refused the statement.
            connection.execute(FREE).await?;
        }
        if is_readable {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Makes sure that the table `gone` was dropped and not renamed. If it was renamed to another captured name, its rows
/// would be in neither snapshot nor stream. `known` are the snapshot's tables with their creation times, `gone` among
/// them.
///
/// # Errors
/// [`Error::SnapshotAgain`] if another table is, or may be, the one that is gone; those of the connection.
pub(super) async fn refuse_renamed<'a>(
    connection: &mut Connection,
    look: &mut Look,
    filter: &Filter,
    gone: &TableName,
    known: &[(&'a TableName, Option<&'a str>)],
    release: Release,
) -> Result<(), Error> {
    let names: Vec<TableName> = known.iter().map(|(name, _)| (*name).clone()).collect();
    refuse_unknown(connection, look, filter, &names, release).await?;
    let made = known.iter().find(|(name, _)| *name == gone).and_then(|(_, created)| *created);
    let times = look.creation_times(&names).await?;
    for (name, created) in known {
        let Some(now) = times.get(name) else { continue };
        if Some(now.as_str()) != *created {
            return Err(again(name, "was replaced"));
        }
        // On MySQL a rename keeps the creation time, so a table of the same second may be the one that is gone.
        if made.is_none_or(|made| made == now) {
            return Err(self::gone(gone));
        }
    }
    Ok(())
}

/// Returns the statement without the table option AUTO_INCREMENT, because every insert changes its value.
fn without_counter(statement: &str) -> String {
    const COUNTER: &str = " AUTO_INCREMENT=";
    let options = statement.find("\n) ").unwrap_or(statement.len());
    let (columns, rest) = statement.split_at(options);
    match rest.split_once(COUNTER) {
        Some((engine, tail)) => format!("{columns}{engine}{}", tail.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => statement.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_counter_of_the_table_is_left_out() {
        let table = |counter: &str, comment: &str| {
            format!(
                "CREATE TABLE `t` (\n  `id` int NOT NULL AUTO_INCREMENT COMMENT 'x AUTO_INCREMENT=7'\n) \
                 ENGINE=InnoDB{counter} COMMENT='{comment}'"
            )
        };
        let same = |a: &str, b: &str| without_counter(a) == without_counter(b);
        assert!(same(&table(" AUTO_INCREMENT=5", "c"), &table(" AUTO_INCREMENT=17", "c")));
        assert!(!same(&table(" AUTO_INCREMENT=5", "c"), &table(" AUTO_INCREMENT=5", "d")));
        assert!(same(&table("", "c"), &table("", "c")));
        // The statement has the option only after the table's first row.
        assert!(same(&table("", "c"), &table(" AUTO_INCREMENT=2", "c")));
    }
}
