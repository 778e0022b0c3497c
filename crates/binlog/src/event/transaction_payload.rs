//! TRANSACTION_PAYLOAD: a whole transaction of MySQL, compressed with zstd.
//!
//! Body: fields of type, length and value, all length-encoded (1 payload bytes, 2 compression: 0 zstd, 255 none, 3 uncompressed bytes),
//! 0 ends the fields, then the payload: events without checksum, one after the other.
//!
//! The payload is inflated as a stream into a buffer that holds one inner event at a time, so memory follows the largest event and not
//! the transaction, whose announced size is never trusted.

use super::Event;
use crate::{
    cursor::Cursor,
    decoder::{Limits, State},
    error::Error,
    event_type::EventType,
    header::{EventHeader, HEADER_BYTES},
};
use zstd::stream::raw::{Decoder as Zstd, InBuffer, Operation, OutBuffer};

const WHAT: &str = "a transaction payload";

/// A compressed transaction.
#[derive(Debug)]
pub struct TransactionPayload<'a> {
    /// Bytes of the compressed events.
    pub compressed_bytes: u64,
    /// Bytes of the plain events as announced; `None` where the server does not say.
    pub uncompressed_bytes: Option<u64>,
    input: &'a [u8],
    is_zstd: bool,
    is_frame_end: bool,
    produced: u64,
    limits: Limits,
    state: &'a mut State,
    buffers: &'a mut PayloadBuffers,
}

/// What is kept from payload to payload: the codec's state and the plain bytes not yet handed out.
#[derive(Default)]
pub(crate) struct PayloadBuffers {
    zstd: Option<Zstd<'static>>,
    plain: Vec<u8>,
    start: usize,
}

impl std::fmt::Debug for PayloadBuffers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PayloadBuffers").field("plain", &self.plain.len()).finish_non_exhaustive()
    }
}

impl<'a> TransactionPayload<'a> {
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
        buffers.plain.clear();
        buffers.start = 0;
        match &mut buffers.zstd {
            _ if !is_zstd => {}
            Some(zstd) => zstd.reinit().map_err(decompress)?,
            none => *none = Some(Zstd::new().map_err(decompress)?),
        }
        Ok(Self {
            compressed_bytes,
            uncompressed_bytes,
            input,
            is_zstd,
            is_frame_end: false,
            produced: 0,
            limits,
            state,
            buffers,
        })
    }

    /// Decodes the next event of the transaction; `None` at its exact end.
    ///
    /// # Errors
    /// Damage, or an event that cannot stand inside a payload. After an error the payload gives nothing more that can be used.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Error> {
        if !self.fill(HEADER_BYTES)? {
            let rest = self.buffers.plain.len() - self.buffers.start;
            if rest != 0 {
                return Err(Error::Truncated {
                    what: "an event inside a payload",
                    needed: HEADER_BYTES,
                    available: rest,
                });
            }
            // A payload that ends cleanly but early has lost events.
            return match self.uncompressed_bytes {
                Some(announced) if announced != self.produced => Err(wrong_length(announced)),
                _ => Ok(None),
            };
        }
        let header = EventHeader::parse(self.plain())?;
        let length = header.event_bytes as usize;
        if length < HEADER_BYTES {
            return Err(Error::Invalid { what: "the length of an event inside a payload", value: length as u64 });
        }
        if length > self.limits.event_bytes {
            let (announced, limit) = (length as u64, self.limits.event_bytes as u64);
            return Err(Error::TooLong { what: "an event inside a payload", announced, limit });
        }
        if matches!(header.kind, EventType::TRANSACTION_PAYLOAD | EventType::FORMAT_DESCRIPTION | EventType::ROTATE) {
            return Err(Error::Nested { kind: header.kind });
        }
        if !self.fill(length)? {
            let available = self.buffers.plain.len() - self.buffers.start;
            return Err(Error::Truncated { what: "an event inside a payload", needed: length, available });
        }
        let start = self.buffers.start;
        self.buffers.start = start + length;
        let event = self.buffers.plain.get(start..start + length).unwrap_or_default();
        let body = self.state.decode_body(&header, event.get(HEADER_BYTES..).unwrap_or_default(), self.limits)?;
        Ok(Some(Event { header, body }))
    }

    fn plain(&self) -> &[u8] {
        self.buffers.plain.get(self.buffers.start..).unwrap_or_default()
    }

    /// Makes `count` plain bytes available; false when the payload ends before.
    fn fill(&mut self, count: usize) -> Result<bool, Error> {
        const CHUNK_BYTES: usize = 128 * 1024;
        if self.buffers.plain.len() - self.buffers.start >= count {
            return Ok(true);
        }
        self.buffers.plain.drain(..self.buffers.start);
        self.buffers.start = 0;
        while self.buffers.plain.len() < count {
            let before = self.buffers.plain.len();
            if self.is_zstd {
                if self.is_frame_end && self.input.is_empty() {
                    break;
                }
                self.buffers.plain.resize(before + CHUNK_BYTES, 0);
                let Some(zstd) = &mut self.buffers.zstd else { break };
                let (tail, mut source) =
                    (self.buffers.plain.get_mut(before..).unwrap_or_default(), InBuffer::around(self.input));
                let mut sink = OutBuffer::around(tail);
                let hint = zstd.run(&mut source, &mut sink).map_err(decompress)?;
                let (used, written) = (source.pos(), sink.pos());
                self.buffers.plain.truncate(before + written);
                self.input = self.input.get(used..).unwrap_or_default();
                self.is_frame_end = hint == 0;
                if used == 0 && written == 0 {
                    return Err(Error::Truncated { what: WHAT, needed: hint, available: 0 });
                }
            } else {
                let take = self.input.len().min(CHUNK_BYTES);
                let Some((head, tail)) = self.input.split_at_checked(take).filter(|_| take > 0) else { break };
                self.buffers.plain.extend_from_slice(head);
                self.input = tail;
            }
            self.produced += (self.buffers.plain.len() - before) as u64;
            let most = self.uncompressed_bytes.unwrap_or(self.limits.payload_bytes);
            if self.produced > most {
                return Err(wrong_length(most));
            }
        }
        Ok(self.buffers.plain.len() >= count)
    }
}

fn wrong_length(value: u64) -> Error {
    Error::Invalid { what: "the plain length of a transaction payload", value }
}

fn decompress(source: std::io::Error) -> Error {
    Error::Decompress { what: WHAT, source }
}
