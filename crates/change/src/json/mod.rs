//! JSON as Jackson writes it, byte for byte: compact, numbers in Java's layout, bytes in Base64.

mod base64;
mod number;
mod pieces;
mod string;

pub use base64::write_base64;
pub use number::{write_double, write_float, write_integer, write_unsigned};
pub(crate) use pieces::{Piece, Pieces};
pub(crate) use string::write_plain_string;
pub use string::{StringWriter, write_string};
