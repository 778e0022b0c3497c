//! Values in place: what the bytes of a [`Cell`](crate::rows::Cell) mean, type by type.
//!
//! The slices are what the row image stores, without the length prefix of the types that have one. VARCHAR, CHAR, TEXT,
//! BLOB, GEOMETRY (SRID u32, then WKB) and VECTOR (32-bit floats, little-endian) need no function: the slice is the
//! value. Trailing spaces of CHAR and trailing zero bytes of BINARY are not stored. JSON is in [`crate::json`].
//!
//! Sources: MySQL source documentation, "Table_map_event, types"; `my_time.cc` and `decimal.cc` for the packed forms.

mod decimal;
mod inflate;
mod number;
mod temporal;

pub(crate) use decimal::group_bytes;
pub use decimal::{Decimal, decimal_bytes};
pub use inflate::ColumnInflater;
pub use number::{bit, double, enum_index, float, set_bits, signed, unsigned};
pub use temporal::{
    Date, DateTime, Time, Timestamp, date, datetime, datetime2, time, time2, timestamp, timestamp2, year,
};

pub(crate) use temporal::{packed_datetime, packed_time};
