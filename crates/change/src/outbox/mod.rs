//! Outbox tables: a row is a message that an application wants to send, not an event about a table.
//!
//! Purpose: Debezium's outbox event router (`io.debezium.transforms.outbox.EventRouter`) as a plan, and mappings for
//! tables of another layout. A created row, or one that a snapshot reads, becomes one message with a topic of its own;
//! a deleted row gives no message; [`Updates`] says what an updated row means. A row that cannot become its message is
//! never dropped: it becomes a dead letter that holds the whole row and the reason, or stops the source.
//!
//! Constraints: unlike the plan of another table, this one reads a row's values into trees, because it has to look into
//! payloads. That costs allocations for each row of an outbox table, and nothing for rows of other tables.
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
