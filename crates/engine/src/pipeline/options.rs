//! What a core is told, and what it tells of itself.

use std::sync::Arc;

use bitacora_source::ddl::Catalog;
use bitacora_source::replication::LogEnd;
use bitacora_source::{LogMark, Position};

use super::proofs::Proofs;
use super::row_rules::RowRules;

/// What a core does, fixed for its life.
#[derive(Debug)]
pub(crate) struct CoreOptions {
    /// Host and port of the server, for messages.
    pub server: String,
    /// What becomes of rows.
    pub rows: RowRules,
    /// Whether statements that change tables are published on the topic named as the prefix.
    pub schema_changes: SchemaChanges,
    /// Whether `source.query` is filled.
    pub statements: Statements,
    /// Shapes of tables that were proven since the source began.
    pub proofs: Proofs,
    /// At most one transaction end is noted in this time.
    pub checkpoint_interval_us: i64,
}

/// Whether DDL is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaChanges {
    /// On the topic named as the prefix.
    Publish,
    /// Only table descriptions follow it.
    Follow,
}

/// Whether events carry their SQL statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statements {
    /// In `source.query`, where the server logs it.
    Include,
    /// Not at all.
    Omit,
}

/// A transaction end: what a checkpoint keeps of it.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// Where it lies.
    pub position: Position,
    /// The log there; `None` until the stream has told when its file was created.
    pub log: Option<LogMark>,
    /// Logical offset there.
    pub logical_offset: u64,
    /// The table descriptions that hold there.
    pub catalog: Arc<Catalog>,
}

/// How far the server says that it has sent its log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Where the last event ends, or the position that the stream asked for.
    pub read: LogEnd,
    /// The place up to which everything is sent, by the last heartbeat; `None` if events came after it.
    pub idle: Option<LogEnd>,
    /// Heartbeats so far.
    pub heartbeat_count: u64,
}
