//! Values in place: what the bytes of a [`Cell`](crate::rows::Cell) mean, type by type.

mod decimal;

pub use decimal::decimal_bytes;
