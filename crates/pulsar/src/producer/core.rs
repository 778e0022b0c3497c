//! What a producer decides, without a socket or a clock: batches, answers and losses in; actions out.
//!
//! Batches wait in the order of their sequence ids until their receipt. After a lost connection all that wait are sent
//! again, byte for byte, under the same ids, and the broker's deduplication drops those that it has stored. A message
//! above the broker's limit goes out in chunks, a few at a time. Later batches wait until its last chunk was sent,
//! because the broker takes a lower sequence id behind a higher one for a repeat. After a lost connection all its
//! chunks are sent again, from the first on and under a new uuid.

use std::collections::VecDeque;

use bitacora_pulsar_wire::proto::{CommandProducerSuccess, CommandSend, CommandSendError, CommandSendReceipt};
use bitacora_pulsar_wire::{Batch, Frame, MessageId, ServerError, split_entry};

use super::chunks::{ChunkRun, Chunking};
use super::clock::now_ms;
use crate::error::Error;

/// How often in a row the broker may report a batch as damaged in transit before the producer gives up.
const MAX_CHECKSUM_RESENDS: u32 = 5;

/// What the shell has to do. `T` is what waits for the receipt of one batch.
#[derive(Debug)]
pub(super) enum Action<T> {
    /// Send this frame.
    Send(Frame),
    /// A batch is durable.
    Durable(Durable<T>),
    /// Drop the connection's producer, look the topic up again, and open again.
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
    /// Its chunks; `None` for an entry within the broker's limit.
    chunks: Option<ChunkRun>,
}

#[derive(Debug)]
pub(super) struct ProducerCore<T> {
    producer_id: u64,
    pending: VecDeque<Pending<T>>,
    /// How many batches at the front were completely sent in this session.
    sent_count: usize,
    is_open: bool,
    chunking: Chunking,
    /// Largest entry that the broker of this session takes.
    max_entry_bytes: usize,
    /// Highest sequence id of the first opening and of all batches since; none before the first opening.
    highest_sequence_id: Option<i64>,
    checksum_resends: u32,
    producer_name: String,
    /// Part of the uuid: makes it differ from those of an earlier producer of the same name.
    opened_ms: u64,
    /// Part of the uuid: makes it differ from those of earlier sessions.
    session_count: u64,
}

impl<T> ProducerCore<T> {
    pub(super) fn new(chunking: Chunking) -> Self {
        Self {
            producer_id: 0,
            pending: VecDeque::new(),
            sent_count: 0,
            is_open: false,
            chunking,
            max_entry_bytes: usize::MAX,
            highest_sequence_id: None,
            checksum_resends: 0,
            producer_name: String::new(),
            opened_ms: now_ms(),
            session_count: 0,
        }
    }

    /// Takes a batch. It is sent at once if the producer is open and no batch waits in front of it.
    pub(super) fn enqueue(&mut self, batch: Batch, waiter: T) -> Vec<Action<T>> {
        self.highest_sequence_id = self.highest_sequence_id.max(i64::try_from(batch.highest_sequence_id).ok());
        self.pending.push_back(Pending { batch, waiter, chunks: None });
        self.send_due()
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Removes all waiting batches, as when the producer fails.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (T, usize)> {
        std::mem::take(&mut self.pending).into_iter().map(|pending| (pending.waiter, pending.batch.entry.len()))
    }

    /// Returns whether this producer can have sent the last sequence id that the broker knows under its name.
    pub(super) fn may_have_sent(&self, sequence_id: i64) -> bool {
        self.highest_sequence_id.is_none_or(|highest| sequence_id <= highest)
    }

    /// Takes note that the broker has opened the producer; everything that waits is sent again.
    pub(super) fn on_opened(
        &mut self,
        producer_id: u64,
        success: &CommandProducerSuccess,
        max_entry_bytes: usize,
    ) -> Vec<Action<T>> {
        self.highest_sequence_id.get_or_insert(success.last_sequence_id());
        self.producer_id = producer_id;
        self.producer_name.clone_from(&success.producer_name);
        self.max_entry_bytes = max_entry_bytes;
        self.is_open = true;
        self.sent_count = 0;
        self.session_count += 1;
        for pending in &mut self.pending {
            pending.chunks = None;
        }
        self.send_due()
    }

    /// Sends, in order, what may be sent now.
    fn send_due(&mut self) -> Vec<Action<T>> {
        let mut actions = Vec::new();
        while let Some(pending) = self.pending.get_mut(self.sent_count).filter(|_| self.is_open) {
            if pending.batch.entry.len() <= self.max_entry_bytes {
                actions.push(Action::Send(send_frame(self.producer_id, &pending.batch)));
                self.sent_count += 1;
                continue;
            }
            let run = match &mut pending.chunks {
                Some(run) => run,
                None => {
                    let attempt = format!("{}-{}", self.opened_ms, self.session_count);
                    let cut = ChunkRun::cut(
                        &pending.batch,
                        self.chunking,
                        &self.producer_name,
                        &attempt,
                        self.max_entry_bytes,
                    );
                    match cut {
                        Ok(run) => pending.chunks.insert(run),
                        Err(error) => {
                            actions.push(Action::Fail(error));
                            return actions;
                        }
                    }
                }
            };
            while let Some(frame) = run.next_frame(self.producer_id, pending.batch.lowest_sequence_id) {
                actions.push(Action::Send(frame));
            }
            if !run.is_sent() {
                return actions;
            }
            self.sent_count += 1;
        }
        actions
    }

    /// Takes note that the connection, or the producer at the broker, is closed.
    pub(super) fn on_closed(&mut self) {
        self.is_open = false;
    }

    pub(super) fn on_receipt(&mut self, receipt: &CommandSendReceipt) -> Vec<Action<T>> {
        let Some(front) = self.pending.front_mut() else { return Vec::new() };
        if receipt.sequence_id < front.batch.lowest_sequence_id {
            // A late answer to a batch that was sent twice over this connection.
            return Vec::new();
        }
        // For a message outside a batch a real broker says 0, −1 or the message's own id.
        let highest = receipt.highest_sequence_id();
        let is_told = highest.cast_signed() > 0 && highest != receipt.sequence_id;
        let is_expected = receipt.sequence_id == front.batch.lowest_sequence_id
            && (!is_told || highest == front.batch.highest_sequence_id);
        if !is_expected {
            return vec![Action::Reconnect {
                reason: format!(
                    "a receipt for sequence ids {} to {highest} came while {} to {} are the oldest without one",
                    receipt.sequence_id, front.batch.lowest_sequence_id, front.batch.highest_sequence_id
                ),
            }];
        }
        self.checksum_resends = 0;
        if front.chunks.as_mut().is_some_and(|run| !run.on_receipt()) {
            // Not all chunks have their receipt yet; this one makes room for the next.
            return self.send_due();
        }
        let Some(pending) = self.pending.pop_front() else { return Vec::new() };
        self.sent_count = self.sent_count.saturating_sub(1);
        vec![Action::Durable(Durable {
            highest_sequence_id: pending.batch.highest_sequence_id,
            message_id: receipt.message_id.as_ref().map_or(MessageId::EARLIEST, MessageId::from),
            entry_bytes: pending.batch.entry.len(),
            waiter: pending.waiter,
        })]
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

    /// Decides about a batch with a wrong checksum: one that is damaged in memory is final, one damaged in transit is
    /// sent again.
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
        let mut core = ProducerCore::new(Chunking::WhenTooLarge);
        assert!(core.on_opened(1, &CommandProducerSuccess::default(), 1_000).is_empty());
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
        assert_eq!(sent(&core.enqueue(batch(&[3, 9]), "a")[0]), (3, Some(9), 1));
        assert_eq!(sent(&core.enqueue(batch(&[12]), "b")[0]), (12, None, 1));
    }

    #[test]
    fn a_receipt_makes_the_oldest_batch_durable() {
        let mut core = open();
        core.enqueue(batch(&[3, 9]), "a");
        core.enqueue(batch(&[12]), "b");
        let Some(Action::Durable(durable)) = core.on_receipt(&receipt(3, 9)).pop() else { panic!() };
        assert_eq!((durable.highest_sequence_id, durable.waiter), (9, "a"));
        assert_eq!(durable.message_id, MessageId::new(3, 4));
        assert!(core.has_pending());
    }

    /// A real broker 4.0 said −1 for the second single message of a connection (0 for the first), and the producer
    /// took it for the receipt of another batch and opened again without end.
    #[test]
    fn the_receipt_of_a_single_message_need_not_tell_the_highest_id() {
        for highest in [0, u64::MAX, 12] {
            let mut core = open();
            core.enqueue(batch(&[12]), "b");
            assert!(matches!(core.on_receipt(&receipt(12, highest))[..], [Action::Durable(_)]), "{highest}");
        }
        let mut core = open();
        core.enqueue(batch(&[12]), "b");
        assert!(matches!(core.on_receipt(&receipt(12, 13))[..], [Action::Reconnect { .. }]));
    }

    fn large(id: u64, bytes: usize) -> Batch {
        let mut builder = BatchBuilder::new();
        let value = vec![b'v'; bytes];
        builder.append(&OutgoingMessage { value: Some(&value), sequence_id: id, ..Default::default() }).unwrap();
        let header = EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: None, codec: Codec::None };
        builder.finish(&header).unwrap().unwrap()
    }

    /// Sequence id, chunk and uuid of what is sent.
    fn chunks(actions: &[Action<&str>]) -> Vec<(u64, Option<i32>, String)> {
        let chunk = |action: &Action<&str>| {
            let Action::Send(frame) = action else { panic!("{action:?}") };
            let peek = bitacora_pulsar_wire::EntryPeek::parse(frame.payload.as_ref().unwrap()).unwrap();
            let Command::Send(send) = &frame.command else { panic!("{frame:?}") };
            let is_early = peek.chunk_id.is_some_and(|id| Some(id + 1) < peek.num_chunks_from_msg);
            assert_eq!(peek.sequence_id + u64::from(is_early), send.sequence_id, "a Pulsar that opens the topic again");
            (send.sequence_id, peek.chunk_id, peek.uuid.unwrap_or_default().to_owned())
        };
        actions.iter().map(chunk).collect()
    }

    fn numbers(actions: &[Action<&str>]) -> Vec<(u64, Option<i32>)> {
        chunks(actions).into_iter().map(|(id, chunk, _)| (id, chunk)).collect()
    }

    /// A message behind a chunked one that overtook its last chunk would make the broker drop that chunk as a repeat.
    #[test]
    fn what_follows_a_large_message_waits_for_its_last_chunk() {
        let mut core = open();
        let sent = core.enqueue(large(5, 80_000), "large");
        assert_eq!(sent.len(), 64, "no more are on their way at once");
        assert!(core.enqueue(batch(&[6]), "after").is_empty());
        let mut next = 64;
        let durable = loop {
            let mut actions = core.on_receipt(&receipt(5, 0));
            if let Some(Action::Durable(durable)) = actions.pop_if(|action| matches!(action, Action::Durable(_))) {
                break durable;
            }
            for sent in numbers(&actions) {
                let expected = if sent.1.is_some() { (5, Some(next)) } else { (6, None) };
                assert_eq!(sent, expected);
                next += 1;
            }
        };
        assert_eq!(durable.waiter, "large");
        assert!(next > 80, "{next}");
        let Some(Action::Durable(durable)) = core.on_receipt(&receipt(6, 6)).pop() else { panic!() };
        assert_eq!(durable.waiter, "after");
        assert!(!core.has_pending());
    }

    /// Chunks of an attempt that broke off lie in the topic already: a consumer that joined them with the new ones
    /// would give up the message, as Pulsar's C++ client did.
    #[test]
    fn a_large_message_is_sent_again_whole_and_under_another_uuid() {
        let mut core = open();
        let first = chunks(&core.enqueue(large(5, 2_500), "large"));
        core.on_receipt(&receipt(5, 0));
        core.on_closed();
        let again = chunks(&core.on_opened(7, &CommandProducerSuccess::default(), 1_000));
        assert_eq!(again.iter().map(|chunk| chunk.1).collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
        assert_ne!(first[0].2, again[0].2);
        assert_eq!(first[0].2, first[1].2);
    }

    #[test]
    fn without_chunks_a_large_message_ends_the_producer() {
        let mut core = ProducerCore::new(Chunking::Never);
        core.on_opened(1, &CommandProducerSuccess::default(), 1_000);
        assert!(matches!(core.enqueue(large(5, 2_500), "large")[..], [Action::Fail(Error::TooLarge { .. })]));
    }

    #[test]
    fn a_late_receipt_is_ignored_and_one_from_the_future_opens_anew() {
        let mut core = open();
        core.enqueue(batch(&[5]), "a");
        assert!(core.on_receipt(&receipt(4, 4)).is_empty());
        assert!(matches!(core.on_receipt(&receipt(6, 6))[..], [Action::Reconnect { .. }]));
        assert!(core.has_pending());
    }

    #[test]
    fn everything_without_a_receipt_is_sent_again_identically_and_in_order() {
        let mut core = open();
        let first = batch(&[1, 2]);
        let bytes = first.entry.clone();
        core.enqueue(first, "a");
        core.on_closed();
        assert!(core.enqueue(batch(&[3]), "b").is_empty());
        let again = core.on_opened(7, &CommandProducerSuccess::default(), 1_000);
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
