//! Outbox tables: a row is not an event about a table but a message that an application wants to be sent.
//!
//! Purpose: Debezium's outbox event router (`io.debezium.transforms.outbox.EventRouter`) as a plan, and mappings for tables
//! of another layout. A created row, or one that a snapshot reads, becomes one message with a topic of its own; a deleted
//! row is nothing; an updated row is what [`Updates`] says. A row that cannot become its message is never dropped: it
//! becomes a dead letter that holds the whole row and the reason, or stops the source.
//!
//! Constraints: unlike a table's plan, a row's values are read into a tree here, because payloads are documents that must
//! be looked into; that costs allocations for each row of an outbox table, and nothing for any other.
//!
//! Life cycle: [`OutboxPlan::compile`] once for each version of the table, [`OutboxPlan::route`] for each row.

mod cells;
mod columns;
mod expand;
mod options;
mod plan;
mod row;
mod template;
mod topic;
mod value;

pub use expand::{EmptyArrays, Expansion, NullMembers};
pub use options::{
    AdditionalMissing, DeadLetters, OutboxOptions, OutboxRule, OutboxTables, Payload, Place, Placement, RecordFormat,
    RecordMapping, Updates,
};
pub use plan::{OutboxPlan, Route};
pub use template::Template;
pub use topic::{TopicPattern, TopicRule};
