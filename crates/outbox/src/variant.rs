//! What becomes of an event's row after the commit.

/// How the outbox table keeps its rows. A reader of the binlog sees one insert for each event in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Variant {
    /// The row stays until a [`Cleaner`](crate::Cleaner) deletes it. Events can be read from the table again, for
    /// example by a snapshot, as long as they are in it.
    #[default]
    Plain,
    /// The row is inserted and deleted in the same transaction: the table stays empty, the binlog holds both row
    /// events. Readers drop the delete, as Debezium's event router does.
    InsertAndDelete,
    /// The table has the BLACKHOLE engine: the row goes to the binlog and nowhere else. It commits and rolls back with
    /// the transaction, savepoints included. The table enforces nothing: not even a repeated event id is refused.
    Blackhole,
}
