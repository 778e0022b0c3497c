//! Plans reads and assigns entries to consumers.
//!
//! The shell asks for a [`Plan`], reads those entries from the log without a lock, and passes them to
//! [`Dispatcher::deliver`]. That function takes into account what changed meanwhile (acknowledgements, a rewind, a
//! consumer that left): an entry for which there is no consumer is planned again.

use super::{
    SubscriptionKind,
    ack_set::AckSet,
    consumer::{ConsumerKey, Pending},
    dispatcher::Dispatcher,
    key_hash,
};

/// So many entries of a Key_Shared subscription may wait for an owner that is busy or must first acknowledge others.
const LOOK_AHEAD: usize = 2_000;
/// So many delayed entries may be kept in memory until they are due.
const DELAYED_MAX: usize = 1_000_000;

/// Bounds of one read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanLimits {
    /// First offset that does not exist yet or is not durable yet.
    pub end: u64,
    /// Largest number of entries to read at once.
    pub entry_count: u64,
    /// The current time (ms since the epoch), for delayed delivery.
    pub now_ms: u64,
}

/// What to read next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Ranges of offsets, end exclusive, in order.
    pub ranges: Vec<(u64, u64)>,
    /// The caller passes it to [`Dispatcher::deliver`].
    pub generation: u64,
}

/// A chunk of a large message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkPart {
    /// Hash of the message's uuid.
    pub uuid_hash: u64,
    /// Whether this is the last chunk.
    pub is_last: bool,
}

/// What the dispatcher needs to know about an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct EntryView {
    /// Offset in the topic.
    pub offset: u64,
    /// Number of its messages; 1 if it is not a batch.
    pub message_count: u32,
    /// Its size in the log.
    pub bytes: u64,
    /// Sticky hash of its key, for Key_Shared.
    pub key_hash: u16,
    /// It must not be delivered before this time (ms since the epoch); 0 = at once.
    pub deliver_at_ms: u64,
    /// Set if it is a chunk.
    pub chunk: Option<ChunkPart>,
}

/// One entry for one consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// Who receives it.
    pub consumer: ConsumerKey,
    /// The consumer's epoch, which is sent back to it.
    pub consumer_epoch: u64,
    /// Index into the entries that were passed to [`Dispatcher::deliver`].
    pub index: usize,
    /// How often it was sent before.
    pub redelivery_count: u32,
    /// The unacknowledged messages of the batch; empty if all of them are unacknowledged.
    pub ack_set: Vec<i64>,
}

enum Placement {
    Deliver(usize),
    /// No consumer can take any entry: stop here.
    Stop,
    /// This entry must wait; later ones may be delivered before it.
    Hold,
}

impl Dispatcher {
    /// Returns the time in ms at which the next delayed entry is due.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.delayed.first().map(|(due, _)| *due)
    }

    /// Returns what to read next; `None` if nothing can be delivered now.
    pub(crate) fn plan(&mut self, limits: &PlanLimits) -> Option<Plan> {
        self.release_due(limits.now_ms);
        let permits = self.receivable_permits()?;
        let average = i64::from(self.batch_size_average.max(1));
        let wanted = u64::try_from(permits / average + i64::from(permits % average != 0)).unwrap_or(1).max(1);
        let mut left = wanted.min(limits.entry_count);
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for offset in self.replayable(left) {
            left -= 1;
            push(&mut ranges, offset);
        }
        // Entries to be sent again are planned alone and first, so that older entries are delivered before new ones.
        if !ranges.is_empty() {
            return Some(Plan { ranges, generation: self.generation });
        }
        // Enough entries wait for busy owners already; to read on would only make more of them wait.
        if self.replay.len() >= LOOK_AHEAD && self.kind == SubscriptionKind::KeyShared {
            return None;
        }
        self.read_offset = self.cursor.next_unacked(self.read_offset);
        let end = limits.end.min(self.read_offset.saturating_add(left));
        (self.read_offset < end).then(|| Plan { ranges: vec![(self.read_offset, end)], generation: self.generation })
    }

    /// Assigns entries that were read for a plan. They must be in the plan's order; the last ones may be missing.
    pub(crate) fn deliver(&mut self, generation: u64, entries: &[EntryView], now_ms: u64) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        // A rewind or a seek came while the log was read, so these entries are planned again.
        if generation != self.generation {
            return deliveries;
        }
        for (index, entry) in entries.iter().enumerate() {
            let replayed = self.replay.contains_key(&entry.offset);
            if !replayed && entry.offset != self.read_offset {
                // Only acknowledged entries may be between the read offset and this entry. Any other entry is left out:
                // it was delivered already, or it will be planned again.
                if entry.offset < self.read_offset || self.cursor.next_unacked(self.read_offset) < entry.offset {
                    continue;
                }
            }
            // It was acknowledged while it was read.
            if self.cursor.is_acked(entry.offset) {
                self.remove_replay(entry.offset);
                self.pass(entry.offset, replayed);
                continue;
            }
            if self.must_wait(entry, now_ms) {
                self.delayed.insert((entry.deliver_at_ms, entry.offset));
                self.remove_replay(entry.offset);
                self.pass(entry.offset, replayed);
                continue;
            }
            match self.place(entry) {
                // The other entries will be planned again: `read_offset` and the entries to be sent again do not
                // change.
                Placement::Stop => break,
                Placement::Hold => {
                    self.remove_replay(entry.offset);
                    self.add_replay(entry.offset, entry.key_hash);
                    self.pass(entry.offset, replayed);
                }
                Placement::Deliver(slot) => {
                    self.remove_replay(entry.offset);
                    self.pass(entry.offset, replayed);
                    if let Some(delivery) = self.hand_over(slot, index, entry) {
                        deliveries.push(delivery);
                    }
                }
            }
        }
        deliveries
    }

    fn pass(&mut self, offset: u64, replayed: bool) {
        if !replayed {
            self.read_offset = offset.saturating_add(1);
        }
    }

    /// Returns whether an entry must wait for its delivery time. If too many entries wait already, it is delivered
    /// early rather than kept in memory. A type with one active consumer keeps the order and delays nothing, as in
    /// Pulsar.
    fn must_wait(&self, entry: &EntryView, now_ms: u64) -> bool {
        !self.kind.is_single_active() && entry.deliver_at_ms > now_ms && self.delayed.len() < DELAYED_MAX
    }

    fn release_due(&mut self, now_ms: u64) {
        while let Some(&(due, offset)) = self.delayed.first() {
            if due > now_ms {
                return;
            }
            self.delayed.pop_first();
            // The hash is known again when the entry is read. 0 means "not known"; such entries are always planned.
            self.add_replay(offset, 0);
        }
    }

    fn receivable_permits(&self) -> Option<i64> {
        if self.kind.is_single_active() {
            let active = self.consumer(self.active?)?;
            return active.can_receive().then_some(active.permits);
        }
        // All consumers together have too many unacknowledged messages; acknowledgements end this state.
        if self.blocked {
            return None;
        }
        let permits: i64 = self.consumers.iter().filter(|c| c.can_receive()).map(|c| c.permits).sum();
        (permits > 0).then_some(permits)
    }

    fn replayable(&self, limit: u64) -> Vec<u64> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if self.kind != SubscriptionKind::KeyShared {
            return self.replay.keys().copied().take(limit).collect();
        }
        let mut chosen = Vec::new();
        for (&offset, &hash) in &self.replay {
            if chosen.len() >= limit {
                break;
            }
            if hash == 0 || self.key_owner(hash, offset).is_some() {
                chosen.push(offset);
            }
        }
        chosen
    }

    /// Returns the consumer that may take an entry of this hash now.
    fn key_owner(&self, hash: u16, offset: u64) -> Option<usize> {
        let slot = key_hash::owner(hash, &self.consumers)?;
        let owner = self.consumers.get(slot)?;
        if !owner.can_receive() {
            return None;
        }
        if owner.spec.out_of_order {
            return Some(slot);
        }
        // The order of a key must hold when its owner changes. So the former owner must first acknowledge its entries,
        // and earlier entries that wait are delivered before this one.
        let draining = self.hash_pending.get(&hash).is_some_and(|(holder, _)| *holder != owner.key);
        let earlier = self.replay_by_hash.get(&hash).and_then(|o| o.first()).is_some_and(|first| *first < offset);
        (!draining && !earlier).then_some(slot)
    }

    fn place(&mut self, entry: &EntryView) -> Placement {
        let slot = match self.kind {
            SubscriptionKind::Exclusive | SubscriptionKind::Failover => {
                self.consumers.iter().position(|c| Some(c.key) == self.active && c.can_receive())
            }
            _ if self.blocked => None,
            SubscriptionKind::Shared => self.shared_slot(entry),
            SubscriptionKind::KeyShared => {
                return match self.key_owner(entry.key_hash, entry.offset) {
                    Some(slot) => Placement::Deliver(slot),
                    None if self.replay.len() < LOOK_AHEAD => Placement::Hold,
                    None => Placement::Stop,
                };
            }
        };
        slot.map_or(Placement::Stop, Placement::Deliver)
    }

    fn shared_slot(&mut self, entry: &EntryView) -> Option<usize> {
        // All chunks of a message go to the consumer that has the first one, because it joins them. If it is busy, the
        // chunks wait for it.
        if let Some(owner) = entry.chunk.and_then(|chunk| self.chunk_owners.get(&chunk.uuid_hash))
            && let Some(slot) = self.consumers.iter().position(|c| c.key == *owner)
        {
            return self.consumers.get(slot).filter(|c| c.can_receive()).map(|_| slot);
        }
        let best = self.consumers.iter().filter(|c| c.can_receive()).map(|c| c.spec.priority).min()?;
        let count = self.consumers.len();
        for step in 0..count {
            let slot = (self.next + step) % count;
            if self.consumers.get(slot).is_some_and(|c| c.can_receive() && c.spec.priority == best) {
                self.next = (slot + 1) % count;
                return Some(slot);
            }
        }
        None
    }

    fn hand_over(&mut self, slot: usize, index: usize, entry: &EntryView) -> Option<Delivery> {
        let ack_set = self.cursor.remaining(entry.offset).map(AckSet::to_wire).unwrap_or_default();
        let messages = self.cursor.remaining(entry.offset).map_or(entry.message_count, AckSet::unacked);
        let redelivery_count = self.redeliveries.get(&entry.offset).copied().unwrap_or(0);
        self.batch_size_average =
            u32::try_from((u64::from(self.batch_size_average) * 7 + u64::from(entry.message_count)).div_ceil(8))
                .unwrap_or(u32::MAX);
        let single = self.kind.is_single_active();
        let (limits, consumer) = (self.limits, self.consumers.get_mut(slot)?);
        consumer.permits -= i64::from(messages);
        consumer.message_count += u64::from(messages);
        consumer.bytes += entry.bytes;
        if !single {
            consumer.pending.insert(entry.offset, Pending { messages, hash: entry.key_hash });
            consumer.unacked += u64::from(messages);
            consumer.blocked = consumer.unacked >= limits.unacked_per_consumer;
            self.unacked += u64::from(messages);
            self.blocked = self.unacked >= limits.unacked_per_subscription;
            let key = consumer.key;
            if self.kind == SubscriptionKind::KeyShared {
                let held = self.hash_pending.entry(entry.key_hash).or_insert((key, 0));
                held.0 = key;
                held.1 += 1;
            }
            if let Some(chunk) = entry.chunk {
                if chunk.is_last {
                    self.chunk_owners.remove(&chunk.uuid_hash);
                } else {
                    self.chunk_owners.insert(chunk.uuid_hash, key);
                }
            }
        }
        let consumer = self.consumers.get(slot)?;
        Some(Delivery { consumer: consumer.key, consumer_epoch: consumer.spec.epoch, index, redelivery_count, ack_set })
    }
}

fn push(ranges: &mut Vec<(u64, u64)>, offset: u64) {
    match ranges.last_mut() {
        Some((_, end)) if *end == offset => *end += 1,
        _ => ranges.push((offset, offset + 1)),
    }
}
