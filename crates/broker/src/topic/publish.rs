//! Appends the entry of a SEND to the log and sends its receipt.
//!
//! An entry is looked up in the deduplication table and appended under one lock, so log, table and receipts have the
//! order in which entries arrive. Receipts are sent once the log's commit thread has said that the entries are durable.
//! They are sent strictly in order; the receipt of a duplicate comes after those of everything that was sent before it.

use std::sync::Arc;

use bitacora_pulsar_wire::{
    Command, EntryPeek, Frame,
    proto::{CommandSendError, CommandSendReceipt, MessageIdData, ServerError},
    split_entry,
};
use bytes::Bytes;

use super::{
    dedup::Verdict,
    handle::ProducerHandle,
    receipt::PendingReceipt,
    state::{State, Topic},
};
use crate::{
    refused::Refused,
    storage::{Record, StorageError},
};

/// A SEND as it came from the wire.
#[derive(Debug, Clone)]
pub(crate) struct Publish {
    /// First sequence id of the command. It is sent back with the receipt.
    pub sequence_id: u64,
    /// Highest sequence id of the command, if it has one. It is sent back with the receipt.
    pub highest_sequence_id: Option<u64>,
    /// The entry.
    pub entry: Bytes,
}

impl Publish {
    /// Returns the id that the deduplication table compares.
    fn last_sequence_id(&self) -> u64 {
        self.highest_sequence_id.unwrap_or(0).max(self.sequence_id)
    }
}

/// An entry whose checksum and metadata are sound.
struct Checked {
    record: Record,
    is_chunk: bool,
    /// Whether it is a chunk of a message and not the last one. All chunks have the message's sequence id; only that of
    /// the last chunk is compared.
    is_early_chunk: bool,
}

impl Checked {
    fn new(publish: &Publish) -> Result<Self, Refused> {
        let corrupt = |e: bitacora_pulsar_wire::Error| Refused::new(ServerError::ChecksumError, e.to_string());
        let parts = split_entry(&publish.entry).map_err(corrupt)?;
        parts.verify().map_err(corrupt)?;
        let peek = EntryPeek::parse_metadata(parts.metadata).map_err(corrupt)?;
        if peek.has_transaction {
            return Err(Refused::new(ServerError::NotAllowedError, "transactions are not supported"));
        }
        Ok(Self {
            record: Record {
                bytes: publish.entry.clone(),
                publish_time_ms: peek.publish_time,
                message_count: peek.message_count(),
            },
            is_chunk: peek.chunk_id.is_some(),
            is_early_chunk: matches!(
                (peek.chunk_id, peek.num_chunks_from_msg),
                (Some(id), Some(count)) if id.saturating_add(1) < count
            ),
        })
    }
}

impl Topic {
    /// Publishes one entry of a producer. The answer is sent later, as SEND_RECEIPT or SEND_ERROR.
    pub(crate) fn publish(&self, producer: &Arc<ProducerHandle>, publish: Publish) {
        let outcome = Checked::new(&publish).and_then(|checked| self.take_in(producer, &publish, checked));
        if let Err(refused) = outcome {
            producer.connection.outbound.push(Command::from(CommandSendError {
                producer_id: producer.producer_id,
                sequence_id: publish.last_sequence_id(),
                error: refused.code as i32,
                message: refused.message,
            }));
        }
    }

    fn take_in(&self, producer: &Arc<ProducerHandle>, publish: &Publish, checked: Checked) -> Result<(), Refused> {
        let mut state = self.lock();
        // The broker has closed it, or it waits for its turn. The client knows that, or a message to it is on its way.
        if !state.producers.is_connected(producer.key) {
            return Ok(());
        }
        if let Some(reason) = &state.poisoned {
            return Err(Refused::new(ServerError::PersistenceError, reason.clone()));
        }
        let is_judged = state.deduplication.covers(producer) && !checked.is_early_chunk;
        let deduplicated = is_judged.then(|| publish.last_sequence_id().cast_signed());
        let mut receipt = PendingReceipt {
            producer: Arc::clone(producer),
            sequence_id: publish.sequence_id,
            highest_sequence_id: publish.highest_sequence_id,
            offset: None,
            release_at: 0,
            deduplicated: None,
            bytes: 0,
        };
        let (messages, bytes) = (u64::from(checked.record.message_count), checked.record.bytes.len());
        if let Some(highest) = deduplicated
            && state.dedup.push(&producer.name, highest) != Verdict::Fresh
        {
            // The first attempt may still not be durable. The receipt waits for everything that was appended before it,
            // so it is never sent for an entry that is not durable.
            receipt.release_at = self.log.end();
            state.pending.push_back(receipt);
            self.duplicates.add(messages, bytes as u64);
            drop(state);
            // If everything is durable already, no commit comes that would send this receipt.
            self.release_receipts(self.log.durable_end());
            return Ok(());
        }
        let publish_time_ms = checked.record.publish_time_ms;
        let offset = match self.log.append(checked.record) {
            Ok(offset) => offset,
            Err(error) => {
                self.poison(&mut state, &error);
                return Err(error.into());
            }
        };
        producer.connection.add_inflight(bytes);
        producer.published.add(messages, bytes as u64);
        self.published.add(messages, bytes as u64);
        state.last_publish_ms = publish_time_ms;
        state.has_chunks |= checked.is_chunk;
        state.pending.push_back(PendingReceipt {
            offset: Some(offset),
            release_at: offset + 1,
            deduplicated,
            bytes,
            ..receipt
        });
        Ok(())
    }

    /// The log's commit thread calls this with the new durable end or with the error of a write.
    pub(super) fn on_durable(&self, outcome: Result<u64, StorageError>) {
        match outcome {
            Ok(durable_end) => {
                self.release_receipts(durable_end);
                self.wake_subscriptions();
            }
            Err(error) => {
                let mut state = self.lock();
                self.poison(&mut state, &error);
            }
        }
    }

    fn release_receipts(&self, durable_end: u64) {
        let mut state = self.lock();
        let mut run: Vec<Frame> = Vec::new();
        let mut target: Option<Arc<ProducerHandle>> = None;
        while state.pending.front().is_some_and(|receipt| receipt.release_at <= durable_end) {
            let Some(receipt) = state.pending.pop_front() else { break };
            if let Some(highest) = receipt.deduplicated {
                state.dedup.persisted(&receipt.producer.name, highest);
            }
            if let Some(previous) = &target
                && previous.key != receipt.producer.key
            {
                previous.connection.outbound.push_all(run.drain(..));
            }
            run.push(self.receipt(&receipt));
            receipt.producer.connection.release_inflight(receipt.bytes);
            target = Some(receipt.producer);
        }
        // The lock is still held, so that two threads cannot send their receipts in the wrong order.
        if let Some(last) = target {
            last.connection.outbound.push_all(run);
        }
    }

    fn receipt(&self, receipt: &PendingReceipt) -> Frame {
        let message_id = match receipt.offset {
            Some(offset) => self.message_id(offset),
            None => MessageIdData { ledger_id: u64::MAX, entry_id: u64::MAX, ..MessageIdData::default() },
        };
        Frame::new(CommandSendReceipt {
            producer_id: receipt.producer.producer_id,
            sequence_id: receipt.sequence_id,
            message_id: Some(message_id),
            highest_sequence_id: receipt.highest_sequence_id,
        })
    }

    /// Stops the topic after a failed write. It is unknown what was written, so no more entries are accepted: producers
    /// are closed, and new ones are refused until the broker has been restarted and has read the log again.
    fn poison(&self, state: &mut State, error: &StorageError) {
        if state.poisoned.is_none() {
            tracing::error!(topic = %self.name, %error,
                "the log failed; the topic accepts no more messages until the broker is restarted");
            state.poisoned = Some(error.to_string());
        }
        state.dedup.roll_back();
        give_up_pending(state);
        state.close_producers();
    }

    /// Deletes the log. The producers have been closed before, so entries that are not durable yet get no receipt.
    pub(crate) fn delete_log(&self) {
        self.log.delete();
        give_up_pending(&mut self.lock());
    }
}

/// Drops the receipts of entries that are not durable; their bytes no longer count as in flight on their connections.
fn give_up_pending(state: &mut State) {
    for receipt in state.pending.drain(..) {
        receipt.producer.connection.release_inflight(receipt.bytes);
    }
}
