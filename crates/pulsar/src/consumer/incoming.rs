//! Turns a delivered entry into messages, a part of one, or an error.

use std::sync::Arc;
use std::time::Instant;

use bitacora_pulsar_wire::proto::CommandMessage;
use bitacora_pulsar_wire::{EntryPeek, EntryReader, MessageId, MessageMetadata, ReadLimits};
use bytes::Bytes;

use super::chunks::{Ended, What};
use super::options::ChunkView;
use super::subscribe::Durability;
use super::{Consumer, Message, Queued};
use crate::error::Error;

impl Consumer {
    pub(super) fn on_message(&mut self, message: &CommandMessage, entry: &Bytes) {
        let id = MessageId { batch_index: -1, ..MessageId::from(&message.message_id) };
        self.seen = Some(id);
        let redelivery_count = message.redelivery_count();
        // The broker has counted this number against the permits, whether it is true or not.
        let permits = EntryPeek::parse(entry).map_or(1, |peek| peek.message_count());
        if message.consumer_epoch.is_some_and(|epoch| epoch < self.epoch) {
            self.permits.on_used(permits);
            return;
        }
        let (metadata, body) = match EntryReader::parts(entry) {
            Ok(parts) => parts,
            Err(error) => return self.refuse(id, &error, entry, redelivery_count, permits),
        };
        if metadata.num_chunks_from_msg() > 1 && self.chunk_view == ChunkView::Joined {
            self.permits.on_arrival(entry.len(), 1);
            let ended = self.assembler.on_chunk(id, &metadata, &body, Instant::now());
            return self.settle(ended, redelivery_count, permits);
        }
        let ended = self.assembler.on_entry(&metadata.producer_name, id);
        self.settle(ended, redelivery_count, 0);
        let is_chunk = metadata.num_chunks_from_msg() > 1;
        let metadata = if is_chunk { single_chunk(metadata) } else { metadata };
        let reader = match EntryReader::of_parts(metadata, body, ReadLimits::default()) {
            Ok(reader) => reader,
            Err(error) => return self.refuse(id, &error, entry, redelivery_count, permits),
        };
        let metadata = Arc::new(reader.metadata().clone());
        if reader.is_batch() {
            self.acks.on_batch(id, reader.message_count(), &message.ack_set);
        }
        self.permits.on_arrival(entry.len().max(metadata.uncompressed_size() as usize), reader.message_count());
        let messages: Result<Vec<_>, _> = reader.collect();
        let messages = match messages {
            Ok(messages) => messages,
            Err(error) => return self.refuse(id, &error, entry, redelivery_count, permits),
        };
        for read in messages {
            let is_acknowledged = read.batch_index.is_some_and(|index| !is_open(&message.ack_set, index));
            let is_compacted = read.metadata.compacted_out();
            let read = Message::new(&self.topic, id, &metadata, read, redelivery_count);
            if is_acknowledged || is_compacted || self.start.excludes(read.id) {
                self.permits.on_used(1);
            } else {
                self.queue.push_back(Queued { read: Ok(read), permits: 1 });
            }
        }
    }

    /// Queues or reports chunked messages that have ended. `permits` are those of the entry that ended them.
    pub(super) fn settle(&mut self, ended: Vec<Ended>, redelivery_count: u32, mut permits: u32) {
        for Ended { ids, what } in ended {
            let (Some(first), Some(last)) = (ids.first().copied(), ids.last().copied()) else { continue };
            let read = match what {
                What::Done => {
                    let topic = &self.topic;
                    tracing::debug!(%topic, %first, %last, "chunks that belong to no whole message are passed");
                    if self.durability == Durability::Durable {
                        self.done.extend(ids);
                    }
                    continue;
                }
                What::Lost(reason) => Err(format!("it is {reason}")),
                What::Whole { metadata, body } => self.join(*metadata, body, last, redelivery_count),
            };
            if self.start.excludes(last) {
                continue;
            }
            if self.durability == Durability::Durable {
                self.acks.on_chunks(ids);
            }
            let read = match read {
                Ok(message) => Ok(Message { first_chunk_id: Some(first), ..message }),
                Err(reason) => {
                    Err(Error::Unreadable { id: last, reason: reason.into(), entry: Box::default(), redelivery_count })
                }
            };
            self.queue.push_back(Queued { read, permits: std::mem::take(&mut permits) });
        }
        self.permits.on_used(permits);
        if self.assembler.first_open().is_none() {
            self.rejoin = None;
        }
    }

    fn join(
        &self,
        metadata: MessageMetadata,
        body: Bytes,
        id: MessageId,
        redelivery_count: u32,
    ) -> Result<Message, String> {
        let limits = ReadLimits { max_uncompressed_bytes: self.options.chunks.max_bytes };
        let mut reader = EntryReader::of_parts(metadata, body, limits).map_err(|error| error.to_string())?;
        let metadata = Arc::new(reader.metadata().clone());
        match reader.next() {
            Some(Ok(read)) => Ok(Message::new(&self.topic, id, &metadata, read, redelivery_count)),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("it holds no message".to_owned()),
        }
    }

    /// Queues one error for an entry that cannot be read.
    fn refuse(
        &mut self,
        id: MessageId,
        error: &bitacora_pulsar_wire::Error,
        entry: &Bytes,
        redelivery_count: u32,
        permits: u32,
    ) {
        if self.start.excludes(id) {
            self.permits.on_used(permits);
            return;
        }
        // A false count must not make the broker send that many messages at once.
        let is_believed = permits <= self.permits.window();
        self.is_window_in_doubt |= !is_believed;
        let permits = if is_believed { permits } else { 0 };
        self.acks.forget(id);
        let (reason, entry) = (error.to_string().into(), Box::new(entry.clone()));
        let error = Error::Unreadable { id, reason, entry, redelivery_count };
        self.queue.push_back(Queued { read: Err(error), permits });
    }
}

/// Returns the metadata of a chunk that is delivered by itself: as not compressed, because its bytes are only a part of
/// a compressed body.
fn single_chunk(metadata: MessageMetadata) -> MessageMetadata {
    MessageMetadata { compression: None, uncompressed_size: None, ..metadata }
}

/// Returns whether a message of a batch has not been acknowledged yet. Without an ack set none has.
fn is_open(ack_set: &[i64], index: u32) -> bool {
    ack_set.is_empty() || ack_set.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
}
