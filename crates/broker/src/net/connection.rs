//! Turns the bytes of one socket into frames and back. It knows nothing of commands.
//!
//! The reader fills one buffer and slices complete frames out of it, so a large payload is never copied on its way in.
//! The writer puts the small heads of a batch of frames into one buffer, and hands heads and payloads to the kernel in
//! vectored writes.

use std::{io, io::IoSlice, time::Duration};

use bitacora_pulsar_wire::{Frame, FrameDecoder, encode_head};
use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};

use crate::peer::Outbound;

const READ_BYTES: usize = 64 * 1024;
/// Payloads below this size are copied next to their head: a slice of its own would cost the kernel more than the copy.
const INLINE_BYTES: usize = 1024;
/// Payloads below this size are copied out of the read buffer. A topic keeps its newest entries in memory, and each of
/// them would otherwise keep a whole buffer.
const OWN_BYTES: usize = 16 * 1024;
/// Time within which a frame must arrive completely after its first byte.
const FRAME_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_SLICES: usize = 64;

/// Reads frames from a socket.
#[derive(Debug)]
pub(crate) struct FrameReader<R> {
    socket: R,
    buffer: BytesMut,
    decoder: FrameDecoder,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(crate) fn new(socket: R, max_message_bytes: u32) -> Self {
        Self {
            socket,
            buffer: BytesMut::with_capacity(READ_BYTES),
            decoder: FrameDecoder::with_max_message_bytes(max_message_bytes),
        }
    }

    /// Returns the next frame; `None` if the peer closed the connection between two frames.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Frame>> {
        let mut deadline = None;
        loop {
            let decoded = self.decoder.decode(&mut self.buffer);
            if let Some(mut frame) = decoded.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))? {
                frame.payload = frame.payload.map(own);
                return Ok(Some(frame));
            }
            self.buffer.reserve(READ_BYTES);
            let read = if self.buffer.is_empty() {
                self.socket.read_buf(&mut self.buffer).await?
            } else {
                // The whole frame has one deadline, so that a peer cannot extend it by sending single bytes.
                let until = *deadline.get_or_insert_with(|| Instant::now() + FRAME_TIMEOUT);
                timeout_at(until, self.socket.read_buf(&mut self.buffer)).await.map_err(|_| {
                    io::Error::new(io::ErrorKind::TimedOut, "a frame did not arrive completely within 30 s")
                })??
            };
            if read == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }
}

fn own(payload: Bytes) -> Bytes {
    if payload.len() < OWN_BYTES { Bytes::copy_from_slice(&payload) } else { payload }
}

/// Writes the queued frames until the queue ends, or until the peer accepts no byte for `stall`.
pub(crate) async fn write_frames<W: AsyncWrite + Unpin>(
    mut socket: W,
    outbound: &Outbound,
    stall: Duration,
) -> io::Result<()> {
    let mut heads = BytesMut::with_capacity(READ_BYTES);
    while let Some(batch) = outbound.next_batch().await {
        let mut parts: Vec<Bytes> = Vec::with_capacity(batch.len() * 2);
        for frame in batch {
            let payload = frame.payload.unwrap_or_default();
            encode_head(&frame.command, payload.len(), &mut heads);
            if payload.len() <= INLINE_BYTES {
                heads.extend_from_slice(&payload);
            } else {
                parts.push(heads.split().freeze());
                parts.push(payload);
            }
        }
        if !heads.is_empty() {
            parts.push(heads.split().freeze());
        }
        write_parts(&mut socket, parts, stall).await?;
    }
    let _ = timeout(stall, socket.shutdown()).await;
    Ok(())
}

async fn write_parts<W: AsyncWrite + Unpin>(socket: &mut W, parts: Vec<Bytes>, stall: Duration) -> io::Result<()> {
    let mut parts = std::collections::VecDeque::from(parts);
    while !parts.is_empty() {
        let slices: Vec<IoSlice<'_>> = parts.iter().take(MAX_SLICES).map(|part| IoSlice::new(part)).collect();
        let mut written = timeout(stall, socket.write_vectored(&slices))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the peer accepts no more bytes"))??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while let Some(front) = parts.front_mut() {
            if written < front.len() {
                front.advance(written);
                break;
            }
            written -= front.len();
            parts.pop_front();
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use bitacora_pulsar_wire::{encode, proto::CommandSend};

    use super::*;

    /// Returns whether a payload of this size has memory of its own after it was read.
    async fn is_alone(payload_bytes: usize) -> bool {
        let mut bytes = BytesMut::new();
        encode(&Frame::with_payload(CommandSend::default(), vec![7; payload_bytes].into()), &mut bytes);
        let mut frames = FrameReader::new(&bytes[..], 5 << 20);
        let payload = frames.next().await.unwrap().unwrap().payload.unwrap();
        assert_eq!(payload, vec![7; payload_bytes]);
        payload.is_unique()
    }

    /// A topic that got small messages one by one once held 64 KiB for each.
    #[tokio::test]
    async fn a_kept_small_payload_does_not_keep_the_buffer_it_was_read_into() {
        assert!(is_alone(100).await);
        assert!(!is_alone(OWN_BYTES).await, "a large one is not copied");
    }
}
