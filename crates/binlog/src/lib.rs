//! Decodes the binary log of MySQL and MariaDB in place.
//!
//! Events come in as byte slices ([`Decoder::decode`]) and go out as borrowed structures ([`event::Event`]). Rows are
//! indexed in one pass ([`rows::RowsReader`]) and their values read where they lie ([`value`]). Nothing is allocated
//! for a row, nothing is read from or written to anywhere, and no bytes, however damaged, cause a panic or an
//! allocation beyond [`Limits`].
//!
//! Format: binlog version 4 (MySQL source documentation, "Binary log event structure").

#![warn(unreachable_pub)]

mod bitmap;
mod compressed;
mod cursor;
mod decoder;
pub mod encode;
mod error;
pub mod event;
mod event_type;
mod flavor;
pub mod gtid;
mod header;
pub mod json;
mod limits;
pub mod rows;
pub mod table;
pub mod value;

pub use decoder::Decoder;
pub use error::Error;
pub use event::{Body, Event};
pub use event_type::EventType;
pub use flavor::Flavor;
pub use header::{CHECKSUM_BYTES, ChecksumAlgorithm, EventHeader, HEADER_BYTES};
pub use limits::Limits;
pub use rows::{Cell, Image, Row, RowScratch, RowsEvent, RowsKind, RowsReader};
pub use table::{Column, ColumnType, KeyPart, TableMap, Width};
