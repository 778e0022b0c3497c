//! Decides what is handled, held, given back, acknowledged or written as a dead letter. No I/O and no clock: times are
//! arguments.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use bitacora_pulsar_wire::MessageId;

use super::outcome::Outcome;
use super::retry::RetryPolicy;

/// Most messages given back, and most entries with open siblings, that are remembered. A forgotten one may be handled
/// twice.
const MAX_REMEMBERED: usize = 1000;

/// A message as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived {
    pub(super) id: MessageId,
    /// Messages in its entry.
    pub(super) entry_messages: u32,
    pub(super) bytes: usize,
    pub(super) redelivery_count: u32,
}

/// What to do with a message that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnArrival {
    Handle,
    /// It was done, but its acknowledgement was lost or waits for its siblings.
    Acknowledge,
    /// It is being handled or held already.
    Ignore,
}

/// What to do after a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    Acknowledge,
    Hold,
    /// Send to the dead-letter topic with this reason, then call [`Core::buried`] or [`Core::not_buried`].
    Bury(String),
}

/// What to do with a message whose waiting time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Handle(MessageId),
    /// Negatively acknowledge and forget it: it comes again, here or elsewhere.
    GiveBack(MessageId),
}

/// Bounds of what is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) parallelism: usize,
    pub(super) max_messages: usize,
    pub(super) max_bytes: usize,
}

/// Failures of a message so far.
#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    /// Tries that count.
    tries: u32,
    /// All failures, which the back-off follows.
    waits: u32,
}

#[derive(Debug)]
struct UnderWay {
    failures: Failures,
    bytes: usize,
    entry_messages: u32,
}

#[derive(Debug)]
pub(super) struct Core {
    retry: RetryPolicy,
    bounds: Bounds,
    under_way: HashMap<MessageId, UnderWay>,
    /// Messages of `under_way` that are handled or on their way to the dead letters.
    working: usize,
    bytes: usize,
    to_repeat: BTreeSet<(Instant, MessageId)>,
    to_give_back: BTreeSet<(Instant, MessageId)>,
    given_back: BTreeMap<MessageId, Failures>,
    /// Done messages of entries that have others open. After a lost connection the broker sends all of an entry again.
    open_entries: BTreeMap<(i64, i64), BTreeSet<i32>>,
}

impl Core {
    pub(super) fn new(retry: RetryPolicy, bounds: Bounds) -> Self {
        Self {
            retry,
            bounds,
            under_way: HashMap::new(),
            working: 0,
            bytes: 0,
            to_repeat: BTreeSet::new(),
            to_give_back: BTreeSet::new(),
            given_back: BTreeMap::new(),
            open_entries: BTreeMap::new(),
        }
    }

    /// Returns whether another message may be received.
    pub(super) fn has_room(&self) -> bool {
        self.working < self.bounds.parallelism.max(1)
            && self.under_way.len() < self.bounds.max_messages.max(1)
            && self.bytes < self.bounds.max_bytes.max(1)
    }

    pub(super) fn arrive(&mut self, message: Arrived) -> OnArrival {
        let Arrived { id, entry_messages, bytes, redelivery_count } = message;
        if self.under_way.contains_key(&id) {
            return OnArrival::Ignore;
        }
        if self.open_entries.get(&(id.ledger, id.entry)).is_some_and(|done| done.contains(&id.batch_index)) {
            return OnArrival::Acknowledge;
        }
        let is_alone = entry_messages <= 1;
        // The broker counts redeliveries of a whole entry, so the count of a batch says nothing about one message.
        let by_others = Failures { tries: if is_alone { redelivery_count } else { 0 }, waits: 0 };
        let failures = self.given_back.remove(&id).unwrap_or(by_others);
        self.under_way.insert(id, UnderWay { failures, bytes, entry_messages });
        self.bytes = self.bytes.saturating_add(bytes);
        self.working += 1;
        if !is_alone {
            self.open_entries.entry((id.ledger, id.entry)).or_default();
            trim(&mut self.open_entries);
        }
        OnArrival::Handle
    }

    /// Takes the outcome of a try.
    pub(super) fn tried(&mut self, id: MessageId, outcome: Outcome, now: Instant) -> Order {
        let max_tries = self.retry.tries.max(1);
        match outcome {
            Outcome::Done => self.finish(id),
            Outcome::Rejected(reason) => Order::Bury(reason),
            Outcome::Unavailable(_) => self.hold(id, now, false),
            Outcome::Retry(reason) => {
                let Some(under_way) = self.under_way.get_mut(&id) else { return Order::Hold };
                under_way.failures.tries = under_way.failures.tries.saturating_add(1);
                let (tries, is_alone) = (under_way.failures.tries, under_way.entry_messages <= 1);
                if tries >= max_tries {
                    return Order::Bury(format!("after {tries} tries: {reason}"));
                }
                self.hold(id, now, is_alone)
            }
        }
    }

    /// Takes note that the dead letter is durable.
    pub(super) fn buried(&mut self, id: MessageId) -> Order {
        self.finish(id)
    }

    /// Takes note that the dead letter could not be stored: the message is handled again later, which does not count
    /// as a try.
    pub(super) fn not_buried(&mut self, id: MessageId, now: Instant) -> Order {
        self.hold(id, now, false)
    }

    /// Returns when [`Core::due`] has its next message.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let repeat = self.to_repeat.first().filter(|_| self.working < self.bounds.parallelism.max(1));
        [repeat, self.to_give_back.first()].into_iter().flatten().map(|(when, _)| *when).min()
    }

    /// Takes one message whose waiting time is over.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        if let Some(&(when, id)) = self.to_give_back.first().filter(|(when, _)| *when <= now) {
            self.to_give_back.remove(&(when, id));
            if let Some(under_way) = self.under_way.remove(&id) {
                self.bytes = self.bytes.saturating_sub(under_way.bytes);
                self.given_back.insert(id, under_way.failures);
                trim(&mut self.given_back);
            }
            return Some(Due::GiveBack(id));
        }
        if self.working >= self.bounds.parallelism.max(1) {
            return None;
        }
        let &(when, id) = self.to_repeat.first().filter(|(when, _)| *when <= now)?;
        self.to_repeat.remove(&(when, id));
        self.working += 1;
        Some(Due::Handle(id))
    }

    fn finish(&mut self, id: MessageId) -> Order {
        self.working = self.working.saturating_sub(1);
        let Some(under_way) = self.under_way.remove(&id) else { return Order::Acknowledge };
        self.bytes = self.bytes.saturating_sub(under_way.bytes);
        let entry = (id.ledger, id.entry);
        if let Some(done) = self.open_entries.get_mut(&entry) {
            done.insert(id.batch_index);
            // The last sibling acknowledges the whole entry, so none of its messages comes again.
            if done.len() >= under_way.entry_messages as usize {
                self.open_entries.remove(&entry);
            }
        }
        Order::Acknowledge
    }

    fn hold(&mut self, id: MessageId, now: Instant, gives_back: bool) -> Order {
        self.working = self.working.saturating_sub(1);
        if let Some(under_way) = self.under_way.get_mut(&id) {
            under_way.failures.waits = under_way.failures.waits.saturating_add(1);
            let when = now + self.retry.wait(under_way.failures.waits);
            if gives_back { &mut self.to_give_back } else { &mut self.to_repeat }.insert((when, id));
        }
        Order::Hold
    }
}

/// Forgets the oldest entries beyond the bound.
fn trim<K: Ord, V>(remembered: &mut BTreeMap<K, V>) {
    while remembered.len() > MAX_REMEMBERED {
        remembered.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const BOUNDS: Bounds = Bounds { parallelism: 1, max_messages: 3, max_bytes: 1000 };

    fn core() -> Core {
        Core::new(RetryPolicy { tries: 3, ..RetryPolicy::default() }, BOUNDS)
    }

    fn alone(entry: i64) -> Arrived {
        Arrived { id: MessageId::new(0, entry), entry_messages: 1, bytes: 10, redelivery_count: 0 }
    }

    fn of_batch(entry: i64, batch_index: i32) -> Arrived {
        Arrived { id: MessageId { batch_index, ..MessageId::new(0, entry) }, entry_messages: 3, ..alone(entry) }
    }

    fn retry_outcome() -> Outcome {
        Outcome::Retry("no".into())
    }

    fn later(now: Instant, seconds: u64) -> Instant {
        now + Duration::from_secs(seconds)
    }

    #[test]
    fn a_message_alone_in_its_entry_is_given_back_after_the_back_off_and_its_tries_are_remembered() {
        let (mut core, now, one) = (core(), Instant::now(), alone(1));
        for (wait, order) in [(1, Order::Hold), (2, Order::Hold), (0, Order::Bury("after 3 tries: no".into()))] {
            assert_eq!(core.arrive(one), OnArrival::Handle);
            assert_eq!(core.tried(one.id, retry_outcome(), now), order);
            if order == Order::Hold {
                assert_eq!(core.arrive(one), OnArrival::Ignore, "it is held");
                assert_eq!(core.deadline(), Some(later(now, wait)));
                assert_eq!(core.due(now), None);
                assert_eq!(core.due(later(now, wait)), Some(Due::GiveBack(one.id)));
            }
        }
        assert_eq!(core.buried(one.id), Order::Acknowledge);
        assert!(core.has_room() && core.deadline().is_none());
    }

    #[test]
    fn tries_of_other_consumers_count_for_a_message_that_is_new_here() {
        let (mut core, now) = (core(), Instant::now());
        let twice = Arrived { redelivery_count: 2, ..alone(1) };
        core.arrive(twice);
        assert_eq!(core.tried(twice.id, retry_outcome(), now), Order::Bury("after 3 tries: no".into()));
        core.buried(twice.id);
        // In a batch they are tries of any sibling.
        let sibling = Arrived { redelivery_count: 2, ..of_batch(2, 0) };
        core.arrive(sibling);
        assert_eq!(core.tried(sibling.id, retry_outcome(), now), Order::Hold);
    }

    #[test]
    fn a_message_of_a_batch_is_tried_again_from_here_and_done_siblings_are_not_handled_again() {
        let (mut core, now) = (core(), Instant::now());
        for sibling in [of_batch(5, 0), of_batch(5, 1)] {
            assert_eq!(core.arrive(sibling), OnArrival::Handle);
            if sibling.id.batch_index == 0 {
                assert_eq!(core.tried(sibling.id, Outcome::Done, now), Order::Acknowledge);
            }
        }
        assert_eq!(core.tried(of_batch(5, 1).id, retry_outcome(), now), Order::Hold);
        // The connection is lost, so all of the entry comes again.
        assert_eq!(core.arrive(of_batch(5, 0)), OnArrival::Acknowledge);
        assert_eq!(core.arrive(of_batch(5, 1)), OnArrival::Ignore);
        assert_eq!(core.arrive(of_batch(5, 2)), OnArrival::Handle);
        assert_eq!(core.due(later(now, 1)), None, "one at a time");
        assert_eq!(core.deadline(), None, "nothing to wake up for until a place is free");
        assert_eq!(core.tried(of_batch(5, 2).id, Outcome::Done, now), Order::Acknowledge);
        assert_eq!(core.due(later(now, 1)), Some(Due::Handle(of_batch(5, 1).id)));
        assert_eq!(core.tried(of_batch(5, 1).id, Outcome::Done, now), Order::Acknowledge);
        assert!(core.open_entries.is_empty(), "a whole entry is forgotten");
    }

    #[test]
    fn a_service_that_is_away_costs_no_try_and_the_message_stays_here() {
        let (mut core, mut now, one) = (core(), Instant::now(), alone(1));
        core.arrive(one);
        for _ in 0..20 {
            assert_eq!(core.tried(one.id, Outcome::Unavailable("away".into()), now), Order::Hold);
            now = core.deadline().unwrap();
            assert_eq!(core.due(now), Some(Due::Handle(one.id)));
        }
        assert_eq!(core.tried(one.id, retry_outcome(), now), Order::Hold, "the first try that counts");
        assert_eq!(core.deadline(), Some(now + RetryPolicy::default().max_wait));
    }

    #[test]
    fn what_can_never_be_done_is_buried_and_kept_until_that_is_durable() {
        let (mut core, now, one) = (core(), Instant::now(), alone(1));
        core.arrive(one);
        assert_eq!(core.tried(one.id, Outcome::Rejected("never".into()), now), Order::Bury("never".into()));
        assert!(!core.has_room());
        assert_eq!(core.not_buried(one.id, now), Order::Hold);
        assert_eq!(core.due(later(now, 1)), Some(Due::Handle(one.id)));
    }

    #[test]
    fn nothing_is_received_beyond_the_bounds() {
        let (mut core, now) = (core(), Instant::now());
        for entry in 0..3 {
            assert!(core.has_room());
            core.arrive(alone(entry));
            assert!(!core.has_room(), "one at a time");
            core.tried(alone(entry).id, retry_outcome(), now);
        }
        assert!(!core.has_room(), "three are held");
        core.due(later(now, 1));
        assert!(core.has_room());
        core.arrive(Arrived { bytes: 5000, ..alone(9) });
        core.tried(alone(9).id, Outcome::Unavailable("away".into()), now);
        assert!(!core.has_room(), "5000 bytes are held");
    }

    #[test]
    fn memory_is_bounded() {
        let (mut core, now) = (core(), Instant::now());
        for entry in 0..2 * i64::try_from(MAX_REMEMBERED).unwrap() {
            core.arrive(alone(entry));
            core.tried(alone(entry).id, retry_outcome(), now);
            core.due(later(now, 1));
            core.arrive(of_batch(entry + 1_000_000, 0));
            core.tried(of_batch(entry + 1_000_000, 0).id, Outcome::Done, now);
        }
        assert_eq!((core.given_back.len(), core.open_entries.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
        assert_eq!((core.under_way.len(), core.bytes, core.working), (0, 0, 0));
    }
}
