//! Codecs of an entry's body.

use std::io::Read;

use bytes::Bytes;

use super::lz4::{self, Hints};
use crate::error::Error;
use crate::proto::CompressionType;

/// A codec that this crate can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Codec {
    /// The body as it is.
    None,
    /// One LZ4 block, what Pulsar's connectors use.
    #[default]
    Lz4,
    /// One zstd frame.
    Zstd {
        /// Level 1 to 19; Pulsar's clients use 3.
        level: i32,
    },
}

impl Codec {
    pub(super) fn wire(self) -> CompressionType {
        match self {
            Self::None => CompressionType::None,
            Self::Lz4 => CompressionType::Lz4,
            Self::Zstd { .. } => CompressionType::Zstd,
        }
    }
}

/// Reusable buffers of compression: the largest compressed body, and the tables of the codecs.
#[derive(Debug, Default)]
pub struct Compressor {
    out: Vec<u8>,
    lz4: lz4::Encoder,
}

impl Compressor {
    /// Frees what the buffer has above `bytes`.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        if self.out.len() > bytes {
            self.out.truncate(bytes);
            self.out.shrink_to(bytes);
        }
    }

    /// Compresses `body` and returns the bytes that go into the entry. `hints` name places where the body repeats.
    pub(super) fn compress<'a>(
        &'a mut self,
        codec: Codec,
        body: &'a [u8],
        hints: Option<&Hints>,
    ) -> Result<&'a [u8], Error> {
        let out = &mut self.out;
        match codec {
            Codec::None => Ok(body),
            Codec::Lz4 => {
                let hinted = hints.and_then(|hints| self.lz4.compress(body, hints, out));
                let written = match hinted {
                    Some(written) => written,
                    None => whole_lz4(body, out)?,
                };
                Ok(out.get(..written).unwrap_or_default())
            }
            Codec::Zstd { level } => {
                out.clear();
                zstd::stream::copy_encode(body, &mut *out, level)
                    .map_err(|source| Error::Compress { codec: "ZSTD", source: Box::new(source) })?;
                Ok(out)
            }
        }
    }
}

/// Compresses a body without hints.
fn whole_lz4(body: &[u8], out: &mut Vec<u8>) -> Result<usize, Error> {
    // The buffer only grows and is not cleared, so that no batch pays for zeroing it again.
    let bound = lz4_flex::block::get_maximum_output_size(body.len());
    if out.len() < bound {
        out.resize(bound, 0);
    }
    lz4_flex::block::compress_into(body, out)
        .map_err(|source| Error::Compress { codec: "LZ4", source: Box::new(source) })
}

/// Restores a body of exactly `uncompressed_bytes`, which the caller has checked against its limit.
pub(super) fn decompress(compression: i32, body: Bytes, uncompressed_bytes: usize) -> Result<Bytes, Error> {
    match CompressionType::try_from(compression) {
        Ok(CompressionType::None) => Ok(body),
        Ok(CompressionType::Lz4) => {
            // One input byte gives at most 255 output bytes; an impossible announcement must not allocate.
            if uncompressed_bytes > body.len().saturating_mul(255) {
                return Err(Error::Decompress { codec: "LZ4", source: None });
            }
            let mut out = vec![0; uncompressed_bytes];
            let written = lz4_flex::block::decompress_into(&body, &mut out)
                .map_err(|source| Error::Decompress { codec: "LZ4", source: Some(Box::new(source)) })?;
            exact("LZ4", out, written, uncompressed_bytes)
        }
        Ok(CompressionType::Zstd) => {
            let failed = |source| Error::Decompress { codec: "ZSTD", source: Some(Box::new(source)) };
            let decoder = zstd::stream::read::Decoder::with_buffer(&*body).map_err(failed)?;
            let mut out = Vec::new();
            let written = decoder.take(uncompressed_bytes as u64 + 1).read_to_end(&mut out).map_err(failed)?;
            exact("ZSTD", out, written, uncompressed_bytes)
        }
        Ok(CompressionType::Zlib) => Err(Error::UnsupportedCompression { codec: "ZLIB".to_owned() }),
        Ok(CompressionType::Snappy) => Err(Error::UnsupportedCompression { codec: "SNAPPY".to_owned() }),
        Err(_) => Err(Error::UnsupportedCompression { codec: format!("number {compression}") }),
    }
}

fn exact(codec: &'static str, out: Vec<u8>, written: usize, announced: usize) -> Result<Bytes, Error> {
    if written == announced { Ok(out.into()) } else { Err(Error::Decompress { codec, source: None }) }
}
