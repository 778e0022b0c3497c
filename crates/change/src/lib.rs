//! Turns row images into Debezium's keys and envelopes through a plan for each table. No I/O.
//!
//! [`Plan::compile`] works out everything about a table once; [`Plan::encode`] turns the bytes of a row into the bytes
//! of its messages. [`schema`] describes them, [`ddl_record`] writes the records of statements that change tables, and
//! [`outbox`] routes the rows of outbox tables to topics of their own.

pub mod avro;
pub mod charset;
mod column;
mod column_rules;
mod completed;
pub mod ddl_record;
mod description;
mod error;
mod event_context;
mod hash;
pub mod json;
mod landmark;
mod large_rows;
mod logged;
mod message;
pub mod naming;
mod options;
pub mod outbox;
mod pattern;
mod plan;
pub mod schema;
mod scratch;
pub mod source_block;

pub use column_rules::{ColumnRules, ColumnSelection, Mask};
pub use completed::completed;
pub use description::{ColumnDefault, ColumnDescription, StoredDefault, TableDescription};
pub use error::{EncodeError, PlanError};
pub use event_context::{EventContext, SnapshotMark};
pub use hash::{ALGORITHMS, HashVersion, SaltedHash};
pub use landmark::Landmark;
pub use large_rows::{Excess, LargeRowPolicy, LargeRows, MESSAGE_BYTES_MAX, dead_letter, shown_key};
pub use logged::LoggedTable;
pub use message::{Message, MessageBuffer, Operation, WholeMessage};
pub use options::{Connector, DebeziumForm, NullWithDefault, PlanOptions, Tombstones, TopicCollision, ValueFormat};
pub use pattern::{NameList, PatternError, PatternList};
pub use plan::Plan;
pub use schema::{
    KeyValueEncoding, KeyValueSchema, MessageSchema, SchemaPart, SchemaPartKind, ValueSchema, ValueSchemaKind,
};
