//! Turns row images into Debezium's keys and envelopes through a plan for each table. No I/O.

mod description;

pub use description::{ColumnDefault, ColumnDescription, TableDescription};
