//! Decodes the binary log of MySQL and MariaDB in place.
//!
//! Events come in as byte slices ([`Decoder::decode`]) and go out as borrowed structures ([`event::Event`]). Rows are
//! indexed in one pass ([`rows::RowsReader`]) and their values read where they lie ([`value`]). Nothing is allocated
//! for a row, nothing is read from or written to anywhere, and no bytes, however damaged, cause a panic or an
//! allocation beyond [`Limits`].
//!
//! Format: binlog version 4 (MySQL source documentation, "Binary log event structure").
//!
//! # Example
//! ```no_run
//! use bitacora_binlog::{Body, Decoder, EventHeader, RowScratch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = std::fs::read("binlog.000001")?;
//! let mut rest = log.strip_prefix(b"\xfebin").ok_or("this is not a binlog file")?;
//! let (mut decoder, mut scratch) = (Decoder::new(), RowScratch::new());
//! while !rest.is_empty() {
//!     let length = EventHeader::parse(rest)?.event_bytes as usize;
//!     let (event, behind) = rest.split_at_checked(length).ok_or("the file ends inside an event")?;
//!     rest = behind;
//!     if let Body::Rows(rows) = decoder.decode(event)?.body {
//!         let mut reader = rows.reader(&mut scratch);
//!         while let Some(row) = reader.next_row()? {
//!             println!("{}: {:?}", rows.table.table, row.after.map(|image| image.column(0)));
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```

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
