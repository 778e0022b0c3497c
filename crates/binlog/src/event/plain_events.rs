//! Inflates the payload of a compressed transaction, one event at a time.

use crate::{
    error::Error,
    event_type::EventType,
    header::{EventHeader, HEADER_BYTES},
    limits::Limits,
};
use zstd::stream::raw::{Decoder as Zstd, InBuffer, Operation, OutBuffer};

const WHAT: &str = "a transaction payload";

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

/// The plain events of one payload.
#[derive(Debug)]
pub(crate) struct PlainEvents<'a> {
    /// What has not been inflated yet.
    input: &'a [u8],
    is_zstd: bool,
    is_frame_end: bool,
    announced_bytes: Option<u64>,
    produced: u64,
    limits: Limits,
    buffers: &'a mut PayloadBuffers,
}

impl<'a> PlainEvents<'a> {
    /// Prepares the buffers for a payload.
    pub(super) fn new(
        input: &'a [u8],
        is_zstd: bool,
        announced_bytes: Option<u64>,
        limits: Limits,
        buffers: &'a mut PayloadBuffers,
    ) -> Result<Self, Error> {
        buffers.plain.clear();
        buffers.start = 0;
        match &mut buffers.zstd {
            _ if !is_zstd => {}
            Some(zstd) => zstd.reinit().map_err(decompress)?,
            none => *none = Some(Zstd::new().map_err(decompress)?),
        }
        Ok(Self { input, is_zstd, is_frame_end: false, announced_bytes, produced: 0, limits, buffers })
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns the header and the body of the next event; `None` at the exact end of the payload.
    pub(crate) fn next(&mut self) -> Result<Option<(EventHeader, &[u8])>, Error> {
        if !self.fill(HEADER_BYTES)? {
            let rest = self.buffers.plain.len() - self.buffers.start;
            if rest != 0 {
                return Err(Error::Truncated {
                    what: "an event inside a payload",
                    needed: HEADER_BYTES,
                    available: rest,
                });
            }
            // A payload that ends between two events, but before its announced length, has lost events.
            return match self.announced_bytes {
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
        Ok(Some((header, event.get(HEADER_BYTES..).unwrap_or_default())))
    }

    fn plain(&self) -> &[u8] {
        self.buffers.plain.get(self.buffers.start..).unwrap_or_default()
    }

    /// Inflates until `count` plain bytes are available. Returns false when the payload ends before.
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
            let most = self.announced_bytes.unwrap_or(self.limits.payload_bytes);
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

fn decompress(cause: std::io::Error) -> Error {
    Error::Decompress { what: WHAT, cause }
}
