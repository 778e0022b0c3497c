//! Joins the chunks of large messages.
//!
//! Chunks of one message have the same uuid and come in order; those of several producers may be mixed. What is held is
//! bounded in bytes and in messages; memory grows with what has come, never with what a chunk announces. A message that
//! never gets its last chunk ends in one of these ways:
//!
//! - Its producer sent another message behind it, so it broke off. Its chunks are acknowledged, and nobody is told: the
//!   producer has sent the message again, or never will.
//! - No chunk came for a while, or its bytes are above the bound. The caller gets an error with the ids of all chunks
//!   once no more of them are expected.
//!
//! (Source of the rules: Pulsar's improvement proposal 37, and what its Java and C++ consumers do.)

use std::time::{Duration, Instant};

use bitacora_pulsar_wire::{MessageId, MessageMetadata};
use bytes::{Bytes, BytesMut};

/// Bounds of what a consumer holds of messages whose last chunk has not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Bytes of all of them together, and of one message when it is joined and decompressed.
    pub max_bytes: usize,
    /// Messages that are incomplete at once.
    pub max_messages: usize,
    /// How long the next chunk of a message may take.
    pub expiry_ms: u64,
}

impl Default for ChunkLimits {
    /// 256 MiB, ten messages and ten minutes.
    fn default() -> Self {
        Self { max_bytes: 256 << 20, max_messages: 10, expiry_ms: 600_000 }
    }
}

/// In which order a subscription delivers the entries of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// That of the topic.
    Topic,
    /// Any: several consumers share the entries and may give them back.
    Any,
}

/// The chunks of a message of which no more are expected.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) ids: Vec<MessageId>,
    pub(super) what: What,
}

#[derive(Debug, PartialEq)]
pub(super) enum What {
    /// All chunks came.
    Whole { metadata: Box<MessageMetadata>, body: Bytes },
    /// Nobody waits for them: the message broke off, or they were delivered before.
    Done,
    /// The message cannot be joined, and the caller must know.
    Lost(&'static str),
}

#[derive(Debug)]
struct Run {
    uuid: String,
    producer: String,
    count: i32,
    total_bytes: usize,
    body: BytesMut,
    ids: Vec<MessageId>,
    touched: Instant,
    /// Why its bytes are not kept.
    lost: Option<&'static str>,
}

const TOO_LARGE: &str = "a chunked message above the bytes that this consumer joins";
const TOO_MANY: &str = "one of more incomplete chunked messages than this consumer holds";
const LATE: &str = "a chunked message whose other chunks did not come in time";
const GAP: &str = "a chunked message of which a chunk is missing in the topic";
const CONTRADICTION: &str = "a chunk that contradicts the first chunk of its message";

/// The messages of a consumer that are incomplete.
#[derive(Debug)]
pub(super) struct Assembler {
    limits: ChunkLimits,
    order: Order,
    /// Oldest first.
    runs: Vec<Run>,
}

impl Assembler {
    pub(super) fn new(limits: ChunkLimits, order: Order) -> Self {
        Self { limits, order, runs: Vec::new() }
    }

    /// Forgets everything, as when the broker will send it again.
    pub(super) fn clear(&mut self) {
        self.runs.clear();
    }

    /// Returns the first chunk of the oldest incomplete message.
    pub(super) fn first_open(&self) -> Option<MessageId> {
        self.runs.iter().filter_map(|run| run.ids.first()).min().copied()
    }

    /// Returns when the next message expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.runs.iter().map(|run| run.touched).min().map(|touched| touched + self.expiry())
    }

    /// Ends the messages whose next chunk has not come in time.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Ended> {
        let expiry = self.expiry();
        self.end_where(|run| now.duration_since(run.touched) >= expiry, What::Lost(LATE))
    }

    /// Takes note of an entry that is not a chunk. A producer sends all chunks of a message without another entry in
    /// between, so this entry ends the incomplete messages of its producer.
    pub(super) fn on_entry(&mut self, producer: &str, id: MessageId) -> Vec<Ended> {
        if self.runs.is_empty() || self.order == Order::Any {
            return Vec::new();
        }
        self.end_where(|run| run.producer == producer && run.ids.last().is_some_and(|last| *last < id), What::Done)
    }

    /// Takes a chunk.
    pub(super) fn on_chunk(
        &mut self,
        id: MessageId,
        metadata: &MessageMetadata,
        body: &[u8],
        now: Instant,
    ) -> Vec<Ended> {
        let (uuid, chunk) = (metadata.uuid(), metadata.chunk_id());
        let known = self.runs.iter().position(|run| run.uuid == uuid);
        let mut ended = match known {
            // The first chunk of a known uuid: a repetition of an attempt that broke off, or a redelivery.
            Some(index) if chunk == 0 => {
                let run = self.runs.remove(index);
                let is_redelivered = run.ids.contains(&id);
                if is_redelivered { Vec::new() } else { vec![Ended { ids: run.ids, what: What::Done }] }
            }
            _ => Vec::new(),
        };
        if chunk == 0 {
            ended.extend(self.on_entry(&metadata.producer_name, id));
            ended.extend(self.begin(metadata, now));
        }
        let Some(index) = self.runs.iter().position(|run| run.uuid == uuid) else {
            // The first chunk lies before the start of the subscription, or the message was given up.
            ended.push(Ended { ids: vec![id], what: What::Done });
            return ended;
        };
        let held: usize = self.runs.iter().map(|run| run.body.len()).sum();
        let Some(run) = self.runs.get_mut(index) else { return ended };
        let next = i32::try_from(run.ids.len()).unwrap_or(i32::MAX);
        if chunk < next {
            if !run.ids.contains(&id) {
                ended.push(Ended { ids: vec![id], what: What::Done });
            }
            return ended;
        }
        run.touched = now;
        run.ids.push(id);
        if chunk > next {
            run.lose(GAP);
        } else if metadata.num_chunks_from_msg() != run.count || run.body.len() + body.len() > run.total_bytes {
            run.lose(CONTRADICTION);
        } else if held + body.len() > self.limits.max_bytes {
            run.lose(TOO_LARGE);
        } else if run.lost.is_none() {
            run.grow(body);
        }
        if chunk + 1 < run.count {
            return ended;
        }
        let run = self.runs.remove(index);
        let is_short = run.body.len() != run.total_bytes;
        let what = match run.lost {
            Some(reason) => What::Lost(reason),
            None if is_short => What::Lost(CONTRADICTION),
            None => What::Whole { metadata: Box::new(metadata.clone()), body: run.body.freeze() },
        };
        ended.push(Ended { ids: run.ids, what });
        ended
    }

    fn begin(&mut self, metadata: &MessageMetadata, now: Instant) -> Vec<Ended> {
        let mut ended = Vec::new();
        while self.runs.len() >= self.limits.max_messages.max(1) {
            let run = self.runs.remove(0);
            ended.push(Ended { ids: run.ids, what: What::Lost(TOO_MANY) });
        }
        let total_bytes = usize::try_from(metadata.total_chunk_msg_size()).unwrap_or_default();
        let mut run = Run {
            uuid: metadata.uuid().to_owned(),
            producer: metadata.producer_name.clone(),
            count: metadata.num_chunks_from_msg(),
            total_bytes,
            body: BytesMut::new(),
            ids: Vec::new(),
            touched: now,
            lost: None,
        };
        if total_bytes > self.limits.max_bytes || metadata.uncompressed_size() as usize > self.limits.max_bytes {
            run.lose(TOO_LARGE);
        }
        self.runs.push(run);
        ended
    }

    fn end_where(&mut self, is_over: impl Fn(&Run) -> bool, what: What) -> Vec<Ended> {
        let reason = |lost: Option<&'static str>| match (&what, lost) {
            // A message that broke off is not lost, so no error that was found before matters.
            (What::Lost(reason), None) => What::Lost(reason),
            (What::Lost(_), Some(reason)) => What::Lost(reason),
            _ => What::Done,
        };
        let over = self.runs.extract_if(.., |run| is_over(run));
        over.map(|run| Ended { what: reason(run.lost), ids: run.ids }).collect()
    }

    fn expiry(&self) -> Duration {
        Duration::from_millis(self.limits.expiry_ms)
    }
}

impl Run {
    /// Keeps only the ids, so that they can be acknowledged.
    fn lose(&mut self, reason: &'static str) {
        self.lost.get_or_insert(reason);
        self.body = BytesMut::new();
    }

    /// Appends bytes. The buffer grows to at most twice what has come, and never beyond what the message announces.
    fn grow(&mut self, body: &[u8]) {
        let missing = self.total_bytes - self.body.len();
        if self.body.capacity() - self.body.len() < body.len() {
            self.body.reserve(missing.min(self.body.len().max(body.len())));
        }
        self.body.extend_from_slice(body);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    struct Topic {
        assembler: Assembler,
        next: i64,
        now: Instant,
    }

    impl Topic {
        fn new(order: Order) -> Self {
            let limits = ChunkLimits { max_bytes: 100, max_messages: 2, expiry_ms: 1_000 };
            Self { assembler: Assembler::new(limits, order), next: 0, now: Instant::now() }
        }

        fn chunk_at(&mut self, entry: i64, uuid: &str, chunk: i32, count: i32) -> Vec<Ended> {
            let metadata = MessageMetadata {
                producer_name: uuid.split('-').next().unwrap().to_owned(),
                uuid: Some(uuid.to_owned()),
                num_chunks_from_msg: Some(count),
                total_chunk_msg_size: Some(10 * count),
                chunk_id: Some(chunk),
                ..Default::default()
            };
            let body = [b'0' + u8::try_from(chunk).unwrap(); 10];
            self.assembler.on_chunk(MessageId::new(1, entry), &metadata, &body, self.now)
        }

        fn chunk(&mut self, uuid: &str, chunk: i32, count: i32) -> Vec<Ended> {
            self.next += 1;
            self.chunk_at(self.next - 1, uuid, chunk, count)
        }
    }

    fn ids(ended: &Ended) -> Vec<i64> {
        ended.ids.iter().map(|id| id.entry).collect()
    }

    fn whole(ended: &[Ended]) -> (Vec<i64>, String) {
        let [one @ Ended { what: What::Whole { body, .. }, .. }] = ended else { panic!("{ended:?}") };
        (ids(one), String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn chunks_of_several_producers_are_joined_in_between() {
        let mut topic = Topic::new(Order::Topic);
        assert!(topic.chunk("a-1", 0, 2).is_empty());
        assert!(topic.chunk("b-1", 0, 2).is_empty());
        assert_eq!(whole(&topic.chunk("a-1", 1, 2)), (vec![0, 2], "00000000001111111111".into()));
        assert_eq!(topic.assembler.first_open(), Some(MessageId::new(1, 1)));
        assert_eq!(whole(&topic.chunk("b-1", 1, 2)).0, [1, 3]);
        assert_eq!(topic.assembler.first_open(), None);
    }

    /// A producer was killed between two chunks; the next one sends the message again.
    #[test]
    fn what_broke_off_is_done_with_when_its_producer_goes_on() {
        for again in ["a-1", "a-2"] {
            let mut topic = Topic::new(Order::Topic);
            topic.chunk("a-1", 0, 3);
            topic.chunk("a-1", 1, 3);
            let ended = topic.chunk(again, 0, 2);
            assert_eq!(ended, [Ended { ids: vec![MessageId::new(1, 0), MessageId::new(1, 1)], what: What::Done }]);
            assert_eq!(whole(&topic.chunk(again, 1, 2)).0, [2, 3]);
        }
        let mut topic = Topic::new(Order::Topic);
        topic.chunk("a-1", 0, 3);
        assert!(topic.assembler.on_entry("b", MessageId::new(1, 1)).is_empty());
        assert_eq!(ids(&topic.assembler.on_entry("a", MessageId::new(1, 2))[0]), [0]);
    }

    #[test]
    fn chunks_that_come_twice_are_taken_once() {
        let mut topic = Topic::new(Order::Topic);
        topic.chunk("a-1", 0, 3);
        topic.chunk("a-1", 1, 3);
        let resent = topic.chunk("a-1", 1, 3);
        assert_eq!((ids(&resent[0]), &resent[0].what), (vec![2], &What::Done));
        assert!(topic.chunk_at(1, "a-1", 1, 3).is_empty(), "a redelivery is no second chunk");
        assert_eq!(whole(&topic.chunk("a-1", 2, 3)).0, [0, 1, 3]);
    }

    #[test]
    fn in_a_shared_subscription_other_messages_end_nothing() {
        let mut topic = Topic::new(Order::Any);
        topic.chunk("a-1", 0, 2);
        assert!(topic.assembler.on_entry("a", MessageId::new(1, 9)).is_empty());
        assert_eq!(whole(&topic.chunk("a-1", 1, 2)).0, [0, 1]);
    }

    fn check_lost(ended: &[Ended], reason: &'static str, expected: &[i64]) {
        let [one] = ended else { panic!("{ended:?}") };
        assert_eq!((&one.what, ids(one)), (&What::Lost(reason), expected.to_vec()));
    }

    #[test]
    fn what_cannot_be_joined_is_told_with_all_its_ids() {
        let mut topic = Topic::new(Order::Topic);
        topic.chunk("a-1", 0, 3);
        check_lost(&topic.chunk("a-1", 2, 3), GAP, &[0, 1]);

        let mut topic = Topic::new(Order::Topic);
        for chunk in 0..10 {
            assert!(topic.chunk("a-1", chunk, 11).is_empty());
        }
        check_lost(&topic.chunk("a-1", 10, 11), TOO_LARGE, &(0..11).collect::<Vec<_>>());

        let mut topic = Topic::new(Order::Topic);
        topic.chunk("a-1", 0, 2);
        topic.chunk("b-1", 0, 2);
        check_lost(&topic.chunk("c-1", 0, 2), TOO_MANY, &[0]);

        let mut topic = Topic::new(Order::Topic);
        topic.chunk("a-1", 0, 2);
        assert!(topic.assembler.expire(topic.now).is_empty());
        let later = topic.assembler.next_expiry().unwrap();
        check_lost(&topic.assembler.expire(later), LATE, &[0]);
    }

    /// A subscription that began in the middle of a message.
    #[test]
    fn a_chunk_without_its_first_one_is_done_with() {
        let mut topic = Topic::new(Order::Topic);
        let ended = topic.chunk("a-1", 1, 2);
        assert_eq!((ids(&ended[0]), &ended[0].what), (vec![0], &What::Done));
    }
}
