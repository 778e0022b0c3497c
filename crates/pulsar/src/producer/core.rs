//! What a producer decides, without a socket or a clock: batches, answers and losses in; actions out.
//!
//! Batches wait in the order of their sequence ids until their receipt. After any loss of the connection all that
//! wait are sent again, byte for byte, under the same ids: the broker's deduplication tells what it has already.

use std::collections::VecDeque;

use bitacora_pulsar_wire::proto::{CommandProducerSuccess, CommandSend, CommandSendError, CommandSendReceipt};
use bitacora_pulsar_wire::{Batch, Frame, MessageId, ServerError, split_entry};

use crate::error::Error;

/// How often in a row the broker may find a batch damaged on its way before the producer gives up.
const MAX_CHECKSUM_RESENDS: u32 = 5;

/// What the shell has to do. `T` is what waits for the receipt of one batch.
#[derive(Debug)]
pub(super) enum Action<T> {
    /// Send this frame.
    Send(Frame),
    /// A batch is durable.
    Durable(Durable<T>),
    /// Drop the connection's producer, look the topic up again, open anew.
    Reconnect {
        /// For the log.
        reason: String,
    },
    /// The producer cannot go on.
    Fail(Error),
}

/// A batch that the broker has made durable.
#[derive(Debug)]
pub(super) struct Durable<T> {
    pub(super) highest_sequence_id: u64,
    /// None of the message: the broker had it already.
    pub(super) message_id: MessageId,
    pub(super) entry_bytes: usize,
    pub(super) waiter: T,
}

#[derive(Debug)]
struct Pending<T> {
    batch: Batch,
    waiter: T,
}

#[derive(Debug)]
pub(super) struct ProducerCore<T> {
    producer_id: u64,
    pending: VecDeque<Pending<T>>,
    is_open: bool,
    /// Highest sequence id of the first opening and of all batches since; none before the first opening.
    highest_sequence_id: Option<i64>,
    checksum_resends: u32,
}

impl<T> ProducerCore<T> {
    pub(super) fn new() -> Self {
        Self {
            producer_id: 0,
            pending: VecDeque::new(),
            is_open: false,
            highest_sequence_id: None,
            checksum_resends: 0,
        }
    }

    /// Takes a batch: sent at once while the producer is open, otherwise when it is open again.
    pub(super) fn enqueue(&mut self, batch: Batch, waiter: T) -> Option<Action<T>> {
        self.highest_sequence_id = self.highest_sequence_id.max(i64::try_from(batch.highest_sequence_id).ok());
        let frame = self.is_open.then(|| send_frame(self.producer_id, &batch));
        self.pending.push_back(Pending { batch, waiter });
        frame.map(Action::Send)
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Gives up all waiting batches, as when the producer fails.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (T, usize)> {
        std::mem::take(&mut self.pending).into_iter().map(|pending| (pending.waiter, pending.batch.entry.len()))
    }

    /// Whether the last sequence id that the broker knows of this producer's name can be of this producer.
    pub(super) fn may_have_sent(&self, sequence_id: i64) -> bool {
        self.highest_sequence_id.is_none_or(|highest| sequence_id <= highest)
    }

    /// The broker has opened the producer: everything that waits is sent again.
    pub(super) fn on_opened(&mut self, producer_id: u64, success: &CommandProducerSuccess) -> Vec<Action<T>> {
        self.highest_sequence_id.get_or_insert(success.last_sequence_id());
        self.producer_id = producer_id;
        self.is_open = true;
        self.pending.iter().map(|pending| Action::Send(send_frame(producer_id, &pending.batch))).collect()
    }

    /// The connection or the broker's producer is gone.
    pub(super) fn on_closed(&mut self) {
        self.is_open = false;
    }

    pub(super) fn on_receipt(&mut self, receipt: &CommandSendReceipt) -> Option<Action<T>> {
        let front = self.pending.front()?;
        if receipt.sequence_id < front.batch.lowest_sequence_id {
            // Late answer to a batch that was sent twice over this connection.
            return None;
        }
        // For a message outside a batch a real broker says 0, −1 or the message's own id.
        let highest = receipt.highest_sequence_id();
        let is_told = highest as i64 > 0 && highest != receipt.sequence_id;
        let is_expected = receipt.sequence_id == front.batch.lowest_sequence_id
            && (!is_told || highest == front.batch.highest_sequence_id);
        if !is_expected {
            return Some(Action::Reconnect {
                reason: format!(
                    "a receipt for sequence ids {} to {highest} came while {} to {} are the oldest without one",
                    receipt.sequence_id, front.batch.lowest_sequence_id, front.batch.highest_sequence_id
                ),
            });
        }
        let pending = self.pending.pop_front()?;
        self.checksum_resends = 0;
        Some(Action::Durable(Durable {
            highest_sequence_id: pending.batch.highest_sequence_id,
            message_id: receipt.message_id.as_ref().map_or(MessageId::EARLIEST, MessageId::from),
            entry_bytes: pending.batch.entry.len(),
            waiter: pending.waiter,
        }))
    }

    pub(super) fn on_send_error(&mut self, error: &CommandSendError) -> Action<T> {
        match ServerError::try_from(error.error).unwrap_or(ServerError::UnknownError) {
            ServerError::ChecksumError => self.on_checksum_error(error),
            ServerError::TopicTerminatedError | ServerError::NotAllowedError | ServerError::ProducerFenced => {
                Action::Fail(Error::server("SEND", error.error, error.message.clone()))
            }
            _ => Action::Reconnect { reason: format!("the broker could not store a batch: {}", error.message) },
        }
    }

    /// Damaged in memory is final, damaged on the way is sent again.
    fn on_checksum_error(&mut self, error: &CommandSendError) -> Action<T> {
        let damaged = self
            .pending
            .iter()
            .find(|pending| pending.batch.highest_sequence_id == error.sequence_id)
            .and_then(|pending| split_entry(&pending.batch.entry).and_then(|parts| parts.verify()).err());
        self.checksum_resends += 1;
        match damaged {
            Some(damaged) => Action::Fail(damaged.into()),
            None if self.checksum_resends > MAX_CHECKSUM_RESENDS => {
                Action::Fail(Error::server("SEND", error.error, error.message.clone()))
            }
            None => Action::Reconnect { reason: "the broker received a damaged batch".to_owned() },
        }
    }
}

fn send_frame(producer_id: u64, batch: &Batch) -> Frame {
    let is_batch = batch.message_count > 1;
    let command = CommandSend {
        producer_id,
        sequence_id: batch.lowest_sequence_id,
        num_messages: Some(i32::try_from(batch.message_count).unwrap_or(i32::MAX)),
        highest_sequence_id: is_batch.then_some(batch.highest_sequence_id),
        ..Default::default()
    };
    Frame::with_payload(command, batch.entry.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use bitacora_pulsar_wire::proto::MessageIdData;
    use bitacora_pulsar_wire::{BatchBuilder, Codec, Command, EntryHeader, OutgoingMessage};

    use super::*;

    fn batch(ids: &[u64]) -> Batch {
        let mut builder = BatchBuilder::new();
        for id in ids {
            builder.append(&OutgoingMessage { value: Some(b"v"), sequence_id: *id, ..Default::default() }).unwrap();
        }
        let header = EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: None, codec: Codec::None };
        builder.finish(&header).unwrap().unwrap()
    }

    fn open() -> ProducerCore<&'static str> {
        let mut core = ProducerCore::new();
        assert!(core.on_opened(1, &CommandProducerSuccess::default()).is_empty());
        core
    }

    fn receipt(lowest: u64, highest: u64) -> CommandSendReceipt {
        CommandSendReceipt {
            producer_id: 1,
            sequence_id: lowest,
            highest_sequence_id: Some(highest),
            message_id: Some(MessageIdData { ledger_id: 3, entry_id: 4, ..Default::default() }),
        }
    }

    fn sent(action: &Action<&str>) -> (u64, Option<u64>, u64) {
        let Action::Send(frame) = action else { panic!("{action:?}") };
        let Command::Send(send) = &frame.command else { panic!("{frame:?}") };
        (send.sequence_id, send.highest_sequence_id, send.producer_id)
    }

    #[test]
    fn batches_carry_both_ids_and_single_messages_one() {
        let mut core = open();
        assert_eq!(sent(&core.enqueue(batch(&[3, 9]), "a").unwrap()), (3, Some(9), 1));
        assert_eq!(sent(&core.enqueue(batch(&[12]), "b").unwrap()), (12, None, 1));
    }

    #[test]
    fn a_receipt_makes_the_oldest_batch_durable() {
        let mut core = open();
        core.enqueue(batch(&[3, 9]), "a");
        core.enqueue(batch(&[12]), "b");
        let Some(Action::Durable(durable)) = core.on_receipt(&receipt(3, 9)) else { panic!() };
        assert_eq!((durable.highest_sequence_id, durable.waiter), (9, "a"));
        assert_eq!(durable.message_id, MessageId::new(3, 4));
        assert!(core.has_pending());
    }

    /// A real broker 4.0 said −1 for the second single message of a connection (0 for the first), and the producer
    /// took it for the receipt of another batch and opened itself anew for ever.
    #[test]
    fn the_receipt_of_a_single_message_need_not_tell_the_highest_id() {
        for highest in [0, u64::MAX, 12] {
            let mut core = open();
            core.enqueue(batch(&[12]), "b");
            assert!(matches!(core.on_receipt(&receipt(12, highest)), Some(Action::Durable(_))), "{highest}");
        }
        let mut core = open();
        core.enqueue(batch(&[12]), "b");
        assert!(matches!(core.on_receipt(&receipt(12, 13)), Some(Action::Reconnect { .. })));
    }

    #[test]
    fn a_late_receipt_is_ignored_and_one_from_the_future_opens_anew() {
        let mut core = open();
        core.enqueue(batch(&[5]), "a");
        assert!(core.on_receipt(&receipt(4, 4)).is_none());
        assert!(matches!(core.on_receipt(&receipt(6, 6)), Some(Action::Reconnect { .. })));
        assert!(core.has_pending());
    }

    #[test]
    fn everything_without_a_receipt_is_sent_again_identically_and_in_order() {
        let mut core = open();
        let first = batch(&[1, 2]);
        let bytes = first.entry.clone();
        core.enqueue(first, "a");
        core.on_closed();
        assert!(core.enqueue(batch(&[3]), "b").is_none());
        let again = core.on_opened(7, &CommandProducerSuccess::default());
        assert_eq!(again.iter().map(sent).collect::<Vec<_>>(), [(1, Some(2), 7), (3, None, 7)]);
        let Action::Send(frame) = &again[0] else { panic!() };
        assert_eq!(frame.payload.as_ref(), Some(&bytes));
    }

    fn check_send_error(error: ServerError, is_final: fn(&Action<&str>) -> bool) {
        let mut core = open();
        core.enqueue(batch(&[1]), "a");
        let error = CommandSendError { producer_id: 1, sequence_id: 1, error: error as i32, message: "m".into() };
        let action = core.on_send_error(&error);
        assert!(is_final(&action), "{action:?}");
        assert!(core.has_pending());
    }

    #[test]
    fn send_errors_end_the_producer_or_open_it_anew_by_class() {
        for error in [ServerError::TopicTerminatedError, ServerError::NotAllowedError, ServerError::ProducerFenced] {
            check_send_error(error, |action| matches!(action, Action::Fail(Error::Server { .. })));
        }
        for error in [
            ServerError::PersistenceError,
            ServerError::UnknownError,
            ServerError::ServiceNotReady,
            ServerError::ChecksumError,
        ] {
            check_send_error(error, |action| matches!(action, Action::Reconnect { .. }));
        }
    }

    #[test]
    fn a_batch_damaged_in_memory_is_never_sent_again() {
        let mut core = open();
        let mut damaged = batch(&[1]);
        let mut bytes = damaged.entry.to_vec();
        bytes[12] ^= 1;
        damaged.entry = bytes.into();
        core.enqueue(damaged, "a");
        let error = ServerError::ChecksumError as i32;
        let error = CommandSendError { producer_id: 1, sequence_id: 1, error, message: String::new() };
        assert!(matches!(core.on_send_error(&error), Action::Fail(Error::Wire(_))));
    }

    #[test]
    fn repeated_damage_on_the_way_ends_the_producer() {
        let mut core = open();
        core.enqueue(batch(&[1]), "a");
        let error = ServerError::ChecksumError as i32;
        let error = CommandSendError { producer_id: 1, sequence_id: 1, error, message: String::new() };
        for _ in 0..MAX_CHECKSUM_RESENDS {
            assert!(matches!(core.on_send_error(&error), Action::Reconnect { .. }));
        }
        assert!(matches!(core.on_send_error(&error), Action::Fail(_)));
    }
}
