//! Members, permits, acknowledgements and requeueing of one subscription.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    SubscriptionKind,
    ack_set::AckSet,
    consumer::{ConsumerKey, ConsumerSpec, ConsumerState, KeySharedMode, Pending},
    cursor::{Acked, Cursor},
};

/// Limits on unacknowledged messages of Shared and Key_Shared subscriptions.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many unacknowledged messages one consumer may have.
    pub unacked_per_consumer: u64,
    /// How many unacknowledged messages all consumers together may have.
    pub unacked_per_subscription: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unacked_per_consumer: 50_000, unacked_per_subscription: 200_000 }
    }
}

/// Why a consumer was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddError {
    /// Another consumer is connected to an Exclusive subscription.
    Busy {
        /// This consumer. The caller checks whether its connection is alive.
        holder: ConsumerKey,
    },
    /// Consumers of another type are connected.
    OtherKind {
        /// One of these consumers. The caller checks whether its connection is alive.
        holder: ConsumerKey,
    },
    /// The hash ranges overlap another consumer's or are malformed.
    Ranges,
}

/// A message to a Failover consumer about whether it is the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ActiveChange {
    /// The consumer that gets the message.
    pub consumer: ConsumerKey,
    /// Whether it is active from now on.
    pub is_active: bool,
}

/// Decides which consumer gets which entry of one subscription.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    pub(super) kind: SubscriptionKind,
    pub(super) limits: Limits,
    pub(super) cursor: Cursor,
    pub(super) read_offset: u64,
    /// Entries to be sent again, with their sticky hash.
    pub(super) replay: BTreeMap<u64, u16>,
    /// The same entries by hash; used on Key_Shared subscriptions only.
    pub(super) replay_by_hash: HashMap<u16, BTreeSet<u64>>,
    /// Entries that wait for their delivery time, as (due time in ms, offset).
    pub(super) delayed: BTreeSet<(u64, u64)>,
    pub(super) redeliveries: HashMap<u64, u32>,
    pub(super) consumers: Vec<ConsumerState>,
    pub(super) active: Option<ConsumerKey>,
    pub(super) next: usize,
    pub(super) unacked: u64,
    pub(super) blocked: bool,
    /// The consumer that has the first chunks of a message, by hash of the message's uuid.
    pub(super) chunk_owners: HashMap<u64, ConsumerKey>,
    /// Consumer and number of pending entries by sticky hash (Key_Shared).
    pub(super) hash_pending: HashMap<u16, (ConsumerKey, u32)>,
    pub(super) batch_size_average: u32,
    /// Raised by each rewind, so that entries read before it are not delivered after it.
    pub(super) generation: u64,
    partition: Option<u32>,
    acked_count: u64,
}

impl Dispatcher {
    /// Creates a dispatcher that starts at the cursor's mark-delete offset. `partition` is the index of the topic if it
    /// is a partition.
    pub(crate) fn new(kind: SubscriptionKind, cursor: Cursor, limits: Limits, partition: Option<u32>) -> Self {
        Self {
            kind,
            limits,
            read_offset: cursor.mark_delete(),
            cursor,
            replay: BTreeMap::new(),
            replay_by_hash: HashMap::new(),
            delayed: BTreeSet::new(),
            redeliveries: HashMap::new(),
            consumers: Vec::new(),
            active: None,
            next: 0,
            unacked: 0,
            blocked: false,
            chunk_owners: HashMap::new(),
            hash_pending: HashMap::new(),
            batch_size_average: 1,
            generation: 0,
            partition,
            acked_count: 0,
        }
    }

    /// Returns the subscription's type.
    pub(crate) fn kind(&self) -> SubscriptionKind {
        self.kind
    }

    /// Returns the acknowledgement state.
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Returns the first offset that was not read yet.
    pub(crate) fn read_offset(&self) -> u64 {
        self.read_offset
    }

    /// Returns the connected consumers in the order in which they subscribed.
    pub(crate) fn consumers(&self) -> &[ConsumerState] {
        &self.consumers
    }

    /// Returns one consumer.
    pub(crate) fn consumer(&self, key: ConsumerKey) -> Option<&ConsumerState> {
        self.consumers.iter().find(|c| c.key == key)
    }

    /// Returns the active consumer of an Exclusive or Failover subscription.
    pub(crate) fn active(&self) -> Option<ConsumerKey> {
        self.active
    }

    /// Returns the number of unacknowledged messages of all consumers.
    pub(crate) fn unacked(&self) -> u64 {
        self.unacked
    }

    /// Returns whether delivery waits because there are too many unacknowledged messages.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Returns the number of entries acknowledged since the subscription was loaded.
    pub(crate) fn acked_count(&self) -> u64 {
        self.acked_count
    }

    /// Samples the consumers' rates. The caller does this once a second.
    pub(crate) fn sample(&mut self, now_ms: u64) {
        for consumer in &mut self.consumers {
            consumer.meter.sample(now_ms, consumer.message_count, consumer.bytes);
        }
    }

    /// Returns the number of entries that wait for their delivery time.
    pub(crate) fn delayed_count(&self) -> usize {
        self.delayed.len()
    }

    /// Adds a consumer. The subscription gets the type of a consumer that comes while no other is connected.
    ///
    /// # Errors
    /// The subscription is Exclusive and has a consumer, has consumers of another type, or the hash ranges overlap.
    pub(crate) fn add_consumer(
        &mut self,
        key: ConsumerKey,
        kind: SubscriptionKind,
        spec: ConsumerSpec,
    ) -> Result<Vec<ActiveChange>, AddError> {
        if let Some(holder) = self.consumers.first().map(ConsumerState::key) {
            if kind != self.kind {
                return Err(AddError::OtherKind { holder });
            }
            if kind == SubscriptionKind::Exclusive {
                return Err(AddError::Busy { holder });
            }
        }
        if kind == SubscriptionKind::KeyShared {
            self.check_ranges(&spec.key_shared)?;
        }
        if self.consumers.is_empty() {
            if self.kind != kind {
                self.kind = kind;
                self.rewind();
            } else if kind.is_single_active() {
                self.rewind();
            }
        }
        self.consumers.push(ConsumerState::new(key, spec));
        Ok(self.elect(Some(key)))
    }

    /// Removes a consumer. Its unacknowledged entries are sent to others.
    pub(crate) fn remove_consumer(&mut self, key: ConsumerKey) -> Vec<ActiveChange> {
        self.requeue(key, None);
        self.consumers.retain(|c| c.key != key);
        self.chunk_owners.retain(|_, owner| *owner != key);
        self.elect(None)
    }

    /// Adds permits, counted in messages.
    pub(crate) fn flow(&mut self, key: ConsumerKey, permits: u32) {
        if let Some(consumer) = self.consumer_mut(key) {
            consumer.permits = consumer.permits.saturating_add(i64::from(permits));
        }
    }

    /// Records whether the consumer's connection can take more bytes.
    pub(crate) fn set_writable(&mut self, key: ConsumerKey, writable: bool) {
        if let Some(consumer) = self.consumer_mut(key) {
            consumer.writable = writable;
        }
    }

    /// Acknowledges an entry or, with `remaining`, only those of its messages that are not in that set.
    pub(crate) fn ack(&mut self, key: ConsumerKey, offset: u64, remaining: Option<AckSet>) {
        match self.cursor.ack(offset, remaining) {
            // A cumulative acknowledgement or a skip may have acknowledged it while it was pending at the consumer.
            Acked::Already => self.settle(key, offset, 0),
            Acked::Entry => {
                self.acked_count += 1;
                self.settle(key, offset, 0);
            }
            Acked::Part { remaining } => self.settle(key, offset, remaining),
        }
    }

    /// Acknowledges everything up to an offset. Shared and Key_Shared do not have this, so there it has no effect.
    pub(crate) fn ack_cumulative(&mut self, offset: u64, remaining: Option<AckSet>) {
        if self.kind.is_single_active() {
            let before = self.cursor.mark_delete();
            self.cursor.ack_cumulative(offset, remaining);
            self.acked_count += self.cursor.mark_delete().saturating_sub(before);
        }
    }

    /// Acknowledges everything below `offset` on a subscription of any type: to skip, expire or clear the backlog.
    pub(crate) fn skip_to(&mut self, offset: u64) {
        let Some(last) = offset.checked_sub(1) else { return };
        self.cursor.ack_cumulative(last, None);
        let keys: Vec<ConsumerKey> = self.consumers.iter().map(|c| c.key).collect();
        for key in keys {
            let held: Vec<u64> =
                self.consumer(key).map(|c| c.pending.range(..offset).map(|(o, _)| *o).collect()).unwrap_or_default();
            for offset in held {
                self.settle(key, offset, 0);
            }
        }
        self.drop_acked();
    }

    /// Sends entries of the consumer again: those of the list or, without one, all that are pending at it. Exclusive
    /// and Failover go back to the mark-delete offset.
    pub(crate) fn redeliver(&mut self, key: ConsumerKey, offsets: Option<&[u64]>, epoch: Option<u64>) {
        if self.kind.is_single_active() {
            if let (Some(epoch), Some(consumer)) = (epoch, self.consumer_mut(key)) {
                consumer.spec.epoch = epoch;
            }
            // Nothing was sent to a consumer that is not active, so nothing can be sent again.
            if self.active == Some(key) {
                self.rewind();
            }
        } else {
            self.requeue(key, offsets);
        }
    }

    /// Moves the cursor so that `offset` is delivered next. All consumers must have been removed before.
    pub(crate) fn seek(&mut self, offset: u64, remaining: Option<AckSet>) {
        self.cursor.reset(offset, remaining);
        self.redeliveries.clear();
        self.rewind();
    }

    pub(super) fn consumer_mut(&mut self, key: ConsumerKey) -> Option<&mut ConsumerState> {
        self.consumers.iter_mut().find(|c| c.key == key)
    }

    pub(super) fn add_replay(&mut self, offset: u64, hash: u16) {
        self.replay.insert(offset, hash);
        if self.kind == SubscriptionKind::KeyShared {
            self.replay_by_hash.entry(hash).or_default().insert(offset);
        }
    }

    pub(super) fn remove_replay(&mut self, offset: u64) {
        if let Some(hash) = self.replay.remove(&offset)
            && let Some(offsets) = self.replay_by_hash.get_mut(&hash)
        {
            offsets.remove(&offset);
            if offsets.is_empty() {
                self.replay_by_hash.remove(&hash);
            }
        }
    }

    /// Goes back to the mark-delete offset, so that everything after it is sent again.
    fn rewind(&mut self) {
        self.generation += 1;
        self.read_offset = self.cursor.mark_delete();
        self.replay.clear();
        self.replay_by_hash.clear();
        self.delayed.clear();
        self.chunk_owners.clear();
        self.hash_pending.clear();
        self.unacked = 0;
        self.blocked = false;
        for consumer in &mut self.consumers {
            consumer.pending.clear();
            consumer.unacked = 0;
            consumer.blocked = false;
        }
    }

    fn drop_acked(&mut self) {
        let done: Vec<u64> = self.replay.keys().copied().filter(|o| self.cursor.is_acked(*o)).collect();
        for offset in done {
            self.remove_replay(offset);
        }
        let cursor = &self.cursor;
        self.delayed.retain(|(_, offset)| !cursor.is_acked(*offset));
        self.redeliveries.retain(|offset, _| !cursor.is_acked(*offset));
    }

    /// Lowers the unacknowledged counts of an entry of which `remaining` messages are still unacknowledged.
    fn settle(&mut self, key: ConsumerKey, offset: u64, remaining: u32) {
        if remaining == 0 {
            self.redeliveries.remove(&offset);
            self.remove_replay(offset);
        }
        let holder = match self.consumer(key) {
            Some(c) if c.pending.contains_key(&offset) => Some(key),
            _ => self.consumers.iter().find(|c| c.pending.contains_key(&offset)).map(|c| c.key),
        };
        let Some(holder) = holder else { return };
        let half = self.limits.unacked_per_consumer / 2;
        let Some(consumer) = self.consumer_mut(holder) else { return };
        let Some(pending) = consumer.pending.get_mut(&offset) else { return };
        let acked = pending.messages.saturating_sub(remaining);
        let hash = pending.hash;
        pending.messages = remaining;
        if remaining == 0 {
            consumer.pending.remove(&offset);
        }
        consumer.unacked = consumer.unacked.saturating_sub(u64::from(acked));
        if consumer.unacked <= half {
            consumer.blocked = false;
        }
        self.release_unacked(u64::from(acked));
        if remaining == 0 {
            self.release_hash(hash);
        }
    }

    fn release_unacked(&mut self, messages: u64) {
        self.unacked = self.unacked.saturating_sub(messages);
        if self.unacked <= self.limits.unacked_per_subscription / 2 {
            self.blocked = false;
        }
    }

    fn release_hash(&mut self, hash: u16) {
        if let Some((_, count)) = self.hash_pending.get_mut(&hash) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.hash_pending.remove(&hash);
            }
        }
    }

    fn requeue(&mut self, key: ConsumerKey, offsets: Option<&[u64]>) {
        let half = self.limits.unacked_per_consumer / 2;
        let Some(consumer) = self.consumer_mut(key) else { return };
        let taken: Vec<(u64, Pending)> = match offsets {
            None => std::mem::take(&mut consumer.pending).into_iter().collect(),
            Some(offsets) => offsets.iter().filter_map(|o| consumer.pending.remove(o).map(|p| (*o, p))).collect(),
        };
        let messages: u64 = taken.iter().map(|(_, p)| u64::from(p.messages)).sum();
        consumer.unacked = consumer.unacked.saturating_sub(messages);
        if consumer.unacked <= half {
            consumer.blocked = false;
        }
        self.release_unacked(messages);
        for (offset, pending) in taken {
            self.release_hash(pending.hash);
            *self.redeliveries.entry(offset).or_insert(0) += 1;
            self.add_replay(offset, pending.hash);
        }
    }

    /// Chooses the active consumer and returns the messages to consumers that this causes.
    ///
    /// The priority decides first. Among consumers of the best priority, a partition takes the one at its index modulo
    /// their number, sorted by name. A topic without partitions keeps the active consumer or else takes the one that
    /// has been connected longest.
    fn elect(&mut self, joined: Option<ConsumerKey>) -> Vec<ActiveChange> {
        if !self.kind.is_single_active() {
            self.active = None;
            return Vec::new();
        }
        let before = self.active;
        let best = self.consumers.iter().map(|c| c.spec.priority).min();
        let mut candidates: Vec<&ConsumerState> =
            self.consumers.iter().filter(|c| Some(c.spec.priority) == best).collect();
        let chosen = match self.partition {
            Some(index) if !candidates.is_empty() => {
                candidates.sort_by(|a, b| a.spec.name.cmp(&b.spec.name).then(a.key.cmp(&b.key)));
                let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
                candidates.get((index % count) as usize).map(|c| c.key)
            }
            _ => candidates.iter().find(|c| Some(c.key) == before).or(candidates.first()).map(|c| c.key),
        };
        self.active = chosen;
        if chosen != before {
            self.rewind();
        }
        if self.kind != SubscriptionKind::Failover {
            return Vec::new();
        }
        let told = self.consumers.iter().filter(|c| chosen != before || Some(c.key) == joined);
        told.map(|c| ActiveChange { consumer: c.key, is_active: Some(c.key) == chosen }).collect()
    }

    fn check_ranges(&self, mode: &KeySharedMode) -> Result<(), AddError> {
        let KeySharedMode::Sticky(ranges) = mode else {
            let other = self.consumers.iter().any(|c| matches!(c.spec.key_shared, KeySharedMode::Sticky(_)));
            return if other { Err(AddError::Ranges) } else { Ok(()) };
        };
        if ranges.is_empty() || ranges.iter().any(|(s, e)| s > e || *e >= super::HASH_RANGE) {
            return Err(AddError::Ranges);
        }
        for consumer in &self.consumers {
            let KeySharedMode::Sticky(taken) = &consumer.spec.key_shared else { return Err(AddError::Ranges) };
            if taken.iter().any(|(s, e)| ranges.iter().any(|(rs, re)| s <= re && rs <= e)) {
                return Err(AddError::Ranges);
            }
        }
        Ok(())
    }
}
