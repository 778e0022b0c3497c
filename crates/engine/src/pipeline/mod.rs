//! From raw binlog events to messages at the sink.
//!
//! [`core`] is the state machine and `state` what it knows: where it reads (`read_place`), which ends of transactions
//! may become the checkpoint (`boundaries`, `watermark`), which transaction it is in (`transaction`) and what may not
//! go out yet (`waiting`). A row goes one way, whether a [`snapshot`] or the log has it: `row_writer`, by the rules of
//! `row_rules`, with `tables` (plans), `outbox` (rows that are messages), `large_rows` (rows that no broker takes),
//! [`topics`] and [`topic_owners`]. `logical_offset` gives sequence ids; `schema_changes` follows DDL, `statement`
//! tells the statements of transactions apart, `sequence` tells MariaDB's sequences from tables, `refusal` says which
//! events end a source.

mod boundaries;
pub(crate) mod core;
mod large_rows;
pub(crate) mod logical_offset;
mod options;
mod outbox;
pub(crate) mod proofs;
mod read_place;
mod refusal;
mod row_rules;
mod row_writer;
mod rows;
mod schema_changes;
mod sequence;
pub(crate) mod snapshot;
mod state;
mod statement;
mod tables;
pub(crate) mod topic_owners;
pub(crate) mod topics;
mod transaction;
mod waiting;
mod watermark;

pub(crate) use schema_changes::record_form;
