//! The chunks of one message above the broker's limit: which of them were sent, and how many have a receipt.

use bitacora_pulsar_wire::proto::CommandSend;
use bitacora_pulsar_wire::{Batch, ChunkCutter, Frame};

use crate::error::Error;

/// What a producer does with a message above the broker's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Chunking {
    /// The producer refuses it, as Pulsar's own producers do by default.
    #[default]
    Never,
    /// The producer sends it in chunks, which Pulsar's own consumers join again.
    WhenTooLarge,
}

/// Most bytes of chunks without receipt. Two chunks are always allowed, so that one is sent while the broker stores the
/// other.
const WINDOW_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct ChunkRun {
    cutter: ChunkCutter,
    window: usize,
    sent: usize,
    receipted: usize,
}

impl ChunkRun {
    /// Begins to cut a batch of one message. `attempt` must differ for each time that the message is sent.
    pub(super) fn cut(
        batch: &Batch,
        chunking: Chunking,
        producer_name: &str,
        attempt: &str,
        max_entry_bytes: usize,
    ) -> Result<Self, Error> {
        if chunking == Chunking::Never || batch.message_count != 1 {
            return Err(Error::TooLarge { bytes: batch.entry.len(), limit_bytes: max_entry_bytes });
        }
        let uuid = format!("{producer_name}-{}-{attempt}", batch.lowest_sequence_id);
        let cutter = ChunkCutter::new(&batch.entry, uuid, max_entry_bytes)?;
        let window = (WINDOW_BYTES / max_entry_bytes.max(1)).clamp(2, 64);
        Ok(Self { cutter, window, sent: 0, receipted: 0 })
    }

    /// Returns the next chunk, or `None` while too many have no receipt, and after the last one.
    pub(super) fn next_frame(&mut self, producer_id: u64, sequence_id: u64) -> Option<Frame> {
        if self.sent - self.receipted >= self.window {
            return None;
        }
        let entry = self.cutter.chunk(self.sent)?;
        self.sent += 1;
        let command =
            CommandSend { producer_id, sequence_id, num_messages: Some(1), is_chunk: Some(true), ..Default::default() };
        Some(Frame::with_payload(command, entry))
    }

    /// Returns whether the last chunk was sent.
    pub(super) fn is_sent(&self) -> bool {
        self.sent >= self.cutter.count()
    }

    /// Takes note of a receipt and returns whether it was the last one.
    pub(super) fn on_receipt(&mut self) -> bool {
        self.receipted += 1;
        self.receipted >= self.cutter.count()
    }
}
