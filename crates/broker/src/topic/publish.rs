//! The way of a SEND into the log, and of its receipt back.
//!
//! An entry is checked, judged by the deduplication table and appended under one lock, so the order of the log, of the
//! table and of the receipts is the order of arrival. The log's commit thread tells what is durable; only then receipts
//! go out, strictly in order, a duplicate's receipt behind those of everything that was sent before it.

use std::sync::Arc;

use bitacora_pulsar_wire::{
    Command, EntryPeek, Frame,
    proto::{CommandSendError, CommandSendReceipt, MessageIdData, ServerError},
    split_entry,
};
use bytes::Bytes;

use super::{ProducerHandle, Topic, Verdict};
use crate::storage::{Record, StorageError};

/// A SEND as it came from the wire.
#[derive(Debug, Clone)]
pub struct Publish {
    /// The command's first sequence id; echoed.
    pub sequence_id: u64,
    /// The command's highest sequence id, if it gave one; echoed.
    pub highest_sequence_id: Option<u64>,
    /// The entry.
    pub entry: Bytes,
}

/// A receipt that waits for the disk.
#[derive(Debug)]
pub(super) struct PendingReceipt {
    producer: Arc<ProducerHandle>,
    sequence_id: u64,
    highest_sequence_id: Option<u64>,
    /// The entry's offset; `None` for a duplicate.
    offset: Option<u64>,
    /// The receipt may go out when everything below is durable.
    release_at: u64,
    /// Id to be noted as persisted.
    deduplicated: Option<i64>,
    bytes: usize,
}

impl PendingReceipt {
    /// Gives the offset of an entry that is not known to be durable.
    pub(super) fn first_offset(&self) -> Option<u64> {
        self.offset
    }

    /// Lets the sequence id go when the table of them has been emptied.
    pub(super) fn forget_sequence_id(&mut self) {
        self.deduplicated = None;
    }
}

impl Topic {
    /// Takes one entry of a producer. The answer comes later, as SEND_RECEIPT or SEND_ERROR.
    pub fn publish(&self, producer: &Arc<ProducerHandle>, publish: Publish) {
        if let Err((code, message)) = self.try_publish(producer, &publish) {
            let sequence_id = publish.highest_sequence_id.unwrap_or(0).max(publish.sequence_id);
            producer.connection.outbound.push(Command::from(CommandSendError {
                producer_id: producer.producer_id,
                sequence_id,
                error: code as i32,
                message,
            }));
        }
    }

    fn try_publish(&self, producer: &Arc<ProducerHandle>, publish: &Publish) -> Result<(), (ServerError, String)> {
        let corrupt = |e: bitacora_pulsar_wire::Error| (ServerError::ChecksumError, e.to_string());
        let parts = split_entry(&publish.entry).map_err(corrupt)?;
        parts.verify().map_err(corrupt)?;
        let peek = EntryPeek::parse_metadata(parts.metadata).map_err(corrupt)?;
        if peek.has_transaction {
            return Err((ServerError::NotAllowedError, "transactions are not supported".to_owned()));
        }
        let message_count = peek.message_count();
        let record = Record { bytes: publish.entry.clone(), publish_time_ms: peek.publish_time, message_count };
        let highest = publish.highest_sequence_id.unwrap_or(0).max(publish.sequence_id).cast_signed();
        let is_early_chunk = match (peek.chunk_id, peek.num_chunks_from_msg) {
            (Some(id), Some(count)) => id.saturating_add(1) < count,
            _ => false,
        };
        let bytes = publish.entry.len();

        let mut state = self.lock();
        if !state.producers.is_connected(producer.key) {
            return Ok(());
        }
        if let Some(reason) = &state.poisoned {
            return Err((ServerError::PersistenceError, reason.clone()));
        }
        let deduplicated = (self.deduplicates(&state, producer) && !is_early_chunk).then_some(highest);
        if let Some(highest) = deduplicated {
            match state.dedup.push(&producer.name, highest) {
                Verdict::Fresh => {}
                // What is still on its way to the disk is answered when it has arrived there: the receipt waits for
                // everything that was appended before it.
                Verdict::Duplicate | Verdict::InFlight => {
                    let release_at = self.log.end();
                    state.pending.push_back(PendingReceipt {
                        producer: Arc::clone(producer),
                        sequence_id: publish.sequence_id,
                        highest_sequence_id: publish.highest_sequence_id,
                        offset: None,
                        release_at,
                        deduplicated: None,
                        bytes: 0,
                    });
                    self.duplicates.add(u64::from(message_count), bytes as u64);
                    drop(state);
                    self.release_receipts(self.log.durable_end());
                    return Ok(());
                }
            }
        }
        let offset = match self.log.append(record) {
            Ok(offset) => offset,
            Err(error) => {
                self.poison(&mut state, &error);
                return Err((ServerError::PersistenceError, error.to_string()));
            }
        };
        producer.connection.add_inflight(bytes);
        producer.published.add(u64::from(message_count), bytes as u64);
        self.published.add(u64::from(message_count), bytes as u64);
        state.last_publish_ms = peek.publish_time;
        state.has_chunks |= peek.chunk_id.is_some();
        state.pending.push_back(PendingReceipt {
            producer: Arc::clone(producer),
            sequence_id: publish.sequence_id,
            highest_sequence_id: publish.highest_sequence_id,
            offset: Some(offset),
            release_at: offset + 1,
            deduplicated,
            bytes,
        });
        Ok(())
    }

    /// Hears from the log's commit thread.
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
        // Pushed while the lock is held: two threads must not swap the order of their receipts.
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

    /// After a failed write nothing of the topic is believed any more: producers are sent away and come back when it
    /// has been reopened.
    fn poison(&self, state: &mut super::State, error: &StorageError) {
        if state.poisoned.is_none() {
            tracing::error!(topic = %self.name, %error, "the log failed; the topic takes no more messages until the broker is restarted");
            state.poisoned = Some(error.to_string());
        }
        state.dedup.roll_back();
        give_up_pending(state);
        for key in state.producers.all_keys() {
            state.producers.remove(key);
            if let Some(handle) = state.handles.remove(&key) {
                handle.connection.close_producer(handle.producer_id);
            }
        }
    }

    /// Deletes the log: its producers are gone, and what still waits for the disk gets no receipt.
    pub fn delete_log(&self) {
        self.log.delete();
        give_up_pending(&mut self.lock());
    }

    fn deduplicates(&self, state: &super::State, producer: &ProducerHandle) -> bool {
        match state.deduplication {
            super::DeduplicationPolicy::All => true,
            super::DeduplicationPolicy::NamedProducers => producer.is_named_by_user,
            super::DeduplicationPolicy::Off => false,
        }
    }
}

/// Lets the connections of those who wait for a receipt send again.
fn give_up_pending(state: &mut super::State) {
    for receipt in state.pending.drain(..) {
        receipt.producer.connection.release_inflight(receipt.bytes);
    }
}
