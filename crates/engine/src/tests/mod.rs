//! The pipeline over recorded logs and a model of a sink: crashes at any place, statements, and what Debezium made of
//! the same logs.
#![allow(clippy::panic, missing_docs)]

mod recorded;
mod replay;
mod setup;
mod statements;
