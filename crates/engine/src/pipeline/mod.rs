//! From raw binlog events to messages at the sink.
//!
//! [`core`] is the state machine and `state` what it knows; around it stand the pieces that can be understood alone:
//! [`logical_offset`] (sequence ids), [`watermark`] (checkpoints), [`transaction`],
//! [`xa`] and [`undecided`] (messages that wait for a decision, as [`held`]), [`tables`] (plans and topics),
//! [`statement`], `decision` (ends of transactions) and `schema_changes` (DDL), `outbox` (rows that are messages), `sequence` (MariaDB's sequences, which are no tables). [`snapshot`] sends the rows of a snapshot through the same plans.

pub mod core;
mod decision;
pub mod held;
mod large_rows;
pub mod logical_offset;
mod options;
mod outbox;
mod schema_changes;
mod sequence;
pub mod snapshot;
mod state;
pub mod statement;
pub mod tables;
pub mod topic_owners;
pub mod topics;
pub mod transaction;
pub mod undecided;
pub mod watermark;
pub mod xa;

pub(crate) use schema_changes::record_form;
