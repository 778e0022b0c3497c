//! TRANSACTION_PAYLOAD: a whole transaction of MySQL, compressed with zstd.
//!
//! Body: fields of type, length and value, all length-encoded (1 payload bytes, 2 compression: 0 zstd, 255 none, 3
//! uncompressed bytes), 0 ends the fields, then the payload: events without checksum, one after the other.
//!
//! The payload is inflated as a stream into a buffer that holds one inner event at a time, so memory follows the
//! largest event and not the transaction, whose announced size is never trusted.

use super::plain_events::{PayloadBuffers, PlainEvents};
use crate::{cursor::Cursor, decoder::State, error::Error, limits::Limits};

const WHAT: &str = "a transaction payload";

/// A compressed transaction; [`TransactionPayload::next_event`] gives its events.
#[derive(Debug)]
pub struct TransactionPayload<'a> {
    /// Bytes of the compressed events.
    pub compressed_bytes: u64,
    /// Bytes of the plain events as announced; `None` where the server does not say.
    pub uncompressed_bytes: Option<u64>,
    pub(crate) events: PlainEvents<'a>,
    pub(crate) state: &'a mut State,
}

impl<'a> TransactionPayload<'a> {
    /// Reads the fields; the events are inflated when they are asked for.
    pub(crate) fn read(
        cursor: &mut Cursor<'a>,
        limits: Limits,
        state: &'a mut State,
        buffers: &'a mut PayloadBuffers,
    ) -> Result<Self, Error> {
        let (mut compressed_bytes, mut uncompressed_bytes, mut compression) = (None, None, None);
        loop {
            let field = cursor.lenenc(WHAT)?;
            if field == 0 {
                break;
            }
            let mut value = Cursor::new(cursor.lenenc_bytes(WHAT)?);
            match field {
                1 => compressed_bytes = Some(value.lenenc(WHAT)?),
                2 => compression = Some(value.lenenc(WHAT)?),
                3 => uncompressed_bytes = Some(value.lenenc(WHAT)?),
                _ => {}
            }
        }
        let is_zstd = match compression {
            Some(0) => true,
            Some(255) => false,
            other => {
                return Err(Error::Invalid {
                    what: "the compression of a transaction payload",
                    value: other.unwrap_or(256),
                });
            }
        };
        let input = match compressed_bytes {
            Some(bytes) => cursor.take(usize::try_from(bytes).unwrap_or(usize::MAX), WHAT)?,
            None => cursor.rest(),
        };
        let compressed_bytes = input.len() as u64;
        if let Some(announced) = uncompressed_bytes.filter(|announced| *announced > limits.payload_bytes) {
            return Err(Error::TooLong { what: WHAT, announced, limit: limits.payload_bytes });
        }
        let events = PlainEvents::new(input, is_zstd, uncompressed_bytes, limits, buffers)?;
        Ok(Self { compressed_bytes, uncompressed_bytes, events, state })
    }
}
