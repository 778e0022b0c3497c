//! Decides who may publish to a topic: names, access modes and the topic epoch.
//!
//! This module does no input or output: the shell probes connections, writes the epoch to the metadata store and sends
//! the answers. The rules are those of PIP-68 "Exclusive Producer" and `CommandProducer` in PulsarApi.proto.

use std::collections::VecDeque;

/// Identifies a producer inside the broker; never reused while the broker runs.
pub(crate) type ProducerKey = u64;

/// If a client's epoch is so far ahead of the topic's, the topic cannot have given it to the client.
const MAX_EPOCH_LEAP: u64 = 1_000_000;

/// `ProducerAccessMode` of PulsarApi.proto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum AccessMode {
    /// Any number of producers may be connected.
    #[default]
    Shared,
    /// It is the only producer; if there is another one, it is refused.
    Exclusive,
    /// It is the only producer; if there is another one, it waits for its turn.
    WaitForExclusive,
    /// It is the only producer; if there are others, they are closed.
    ExclusiveWithFencing,
}

impl AccessMode {
    /// Reads the number of the wire.
    pub(crate) fn from_wire(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Shared),
            1 => Some(Self::Exclusive),
            2 => Some(Self::WaitForExclusive),
            3 => Some(Self::ExclusiveWithFencing),
            _ => None,
        }
    }

    /// Returns its name in the admin REST API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shared => "Shared",
            Self::Exclusive => "Exclusive",
            Self::WaitForExclusive => "WaitForExclusive",
            Self::ExclusiveWithFencing => "ExclusiveWithFencing",
        }
    }
}

/// What a producer requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProducerSpec {
    /// Producer name, given by the user or generated.
    pub name: String,
    /// Producer id, which is unique on its connection.
    pub producer_id: u64,
    /// Number of its connection.
    pub connection: u64,
    /// The client raises it each time it connects again.
    pub epoch: u64,
    /// The requested access mode.
    pub mode: AccessMode,
    /// The topic epoch that the client had before; ignored for [`AccessMode::Shared`].
    pub topic_epoch: Option<u64>,
}

/// Why a producer was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another producer has the name. The caller checks whether its connection is alive.
    NameTaken {
        /// The producer that has it.
        holder: ProducerKey,
        /// The connection of this producer.
        connection: u64,
    },
    /// An exclusive producer exists or waits.
    Busy,
    /// Others are connected, or the client's epoch is outdated.
    Fenced,
}

/// How a producer was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may publish.
    Granted {
        /// The new topic epoch; set in the exclusive modes. It must be durable before the answer is sent.
        topic_epoch: Option<u64>,
        /// Producers to be closed: they are fenced, or their client replaces them.
        closed: Vec<ProducerKey>,
        /// Waiting producers to be refused with ProducerFenced.
        failed: Vec<ProducerKey>,
    },
    /// It waits for its turn.
    Waiting,
}

/// The next exclusive producer after the last one has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Promotion {
    /// The producer whose turn it is.
    pub producer: ProducerKey,
    /// The new topic epoch. It must be durable before the answer is sent.
    pub topic_epoch: u64,
}

/// The producers of one topic.
#[derive(Debug, Default)]
pub(crate) struct Producers {
    connected: Vec<(ProducerKey, ProducerSpec)>,
    waiting: VecDeque<(ProducerKey, ProducerSpec)>,
    exclusive: Option<ProducerKey>,
    topic_epoch: Option<u64>,
}

impl Producers {
    /// Creates the state without producers and with the stored topic epoch.
    pub(crate) fn new(topic_epoch: Option<u64>) -> Self {
        Self { topic_epoch, ..Self::default() }
    }

    /// Returns the connected producers.
    pub(crate) fn connected(&self) -> impl Iterator<Item = (ProducerKey, &ProducerSpec)> {
        self.connected.iter().map(|(key, spec)| (*key, spec))
    }

    /// Returns the number of connected producers.
    pub(crate) fn count(&self) -> usize {
        self.connected.len()
    }

    /// Returns all producers, also waiting ones.
    pub(crate) fn all_keys(&self) -> Vec<ProducerKey> {
        self.connected.iter().chain(&self.waiting).map(|(key, _)| *key).collect()
    }

    /// Returns key and id of the producers of a connection, also of waiting ones.
    pub(crate) fn of_connection(&self, connection: u64) -> Vec<(ProducerKey, u64)> {
        let own = self.connected.iter().chain(&self.waiting).filter(|(_, spec)| spec.connection == connection);
        own.map(|(key, spec)| (*key, spec.producer_id)).collect()
    }

    /// Returns whether the producer may publish now.
    pub(crate) fn is_connected(&self, key: ProducerKey) -> bool {
        self.connected.iter().any(|(k, _)| *k == key)
    }

    /// Admits a producer, lets it wait or refuses it.
    ///
    /// # Errors
    /// The name is taken, the topic has an exclusive producer, or the client is fenced.
    pub(crate) fn add(&mut self, key: ProducerKey, spec: ProducerSpec) -> Result<Admission, Refusal> {
        let mut closed = Vec::new();
        if let Some((holder, held)) = self.connected.iter().chain(&self.waiting).find(|(_, s)| s.name == spec.name) {
            let successor =
                held.connection == spec.connection && held.producer_id == spec.producer_id && spec.epoch > held.epoch;
            if !successor && spec.mode != AccessMode::ExclusiveWithFencing {
                return Err(Refusal::NameTaken { holder: *holder, connection: held.connection });
            }
            if successor {
                closed.push(*holder);
            }
        }
        for holder in &closed {
            self.forget(*holder);
        }
        if spec.mode == AccessMode::Shared {
            if self.exclusive.is_some() || !self.waiting.is_empty() {
                return Err(Refusal::Busy);
            }
            self.connected.push((key, spec));
            return Ok(Admission::Granted { topic_epoch: None, closed, failed: Vec::new() });
        }
        if let (Some(client), Some(topic)) = (spec.topic_epoch, self.topic_epoch)
            && client < topic
        {
            return Err(Refusal::Fenced);
        }
        let occupied = !self.connected.is_empty() || !self.waiting.is_empty();
        let mut failed = Vec::new();
        match spec.mode {
            AccessMode::Exclusive if occupied => return Err(Refusal::Fenced),
            AccessMode::WaitForExclusive if occupied => {
                self.waiting.push_back((key, spec));
                return Ok(Admission::Waiting);
            }
            AccessMode::ExclusiveWithFencing => {
                failed = self.waiting.drain(..).map(|(key, _)| key).collect();
                closed.extend(self.connected.drain(..).map(|(key, _)| key));
            }
            _ => {}
        }
        let topic_epoch = self.take(key, spec);
        Ok(Admission::Granted { topic_epoch: Some(topic_epoch), closed, failed })
    }

    /// Removes a producer. Returns the one whose turn comes, and the waiting ones that are fenced because their epoch
    /// is outdated.
    pub(crate) fn remove(&mut self, key: ProducerKey) -> (Option<Promotion>, Vec<ProducerKey>) {
        self.forget(key);
        let mut fenced = Vec::new();
        if !self.connected.is_empty() {
            return (None, fenced);
        }
        while let Some((producer, spec)) = self.waiting.pop_front() {
            if spec.topic_epoch.is_some_and(|client| self.topic_epoch.is_some_and(|topic| client < topic)) {
                fenced.push(producer);
                continue;
            }
            let topic_epoch = self.take(producer, spec);
            return (Some(Promotion { producer, topic_epoch }), fenced);
        }
        (None, fenced)
    }

    fn take(&mut self, key: ProducerKey, spec: ProducerSpec) -> u64 {
        let epoch = match (self.topic_epoch, spec.topic_epoch) {
            // Restored metadata may be older than the client's last epoch. That epoch must not be given to another
            // producer.
            (Some(topic), Some(client)) if client.saturating_sub(topic) < MAX_EPOCH_LEAP => {
                topic.max(client).saturating_add(1)
            }
            // A topic that was created again counts from 0, whatever epochs clients have from the deleted one. That way
            // the clients can distinguish the two.
            (topic, _) => topic.map_or(0, |epoch| epoch + 1),
        };
        self.topic_epoch = Some(epoch);
        self.exclusive = Some(key);
        self.connected.push((key, spec));
        epoch
    }

    fn forget(&mut self, key: ProducerKey) {
        self.connected.retain(|(k, _)| *k != key);
        self.waiting.retain(|(k, _)| *k != key);
        if self.exclusive == Some(key) {
            self.exclusive = None;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests {
    use super::*;

    fn spec(name: &str, mode: AccessMode) -> ProducerSpec {
        ProducerSpec { name: name.to_owned(), mode, connection: 1, ..ProducerSpec::default() }
    }

    fn granted(epoch: Option<u64>) -> Result<Admission, Refusal> {
        Ok(Admission::Granted { topic_epoch: epoch, closed: Vec::new(), failed: Vec::new() })
    }

    #[test]
    fn exclusive_keeps_others_out_and_raises_the_epoch() {
        let mut producers = Producers::new(Some(4));
        assert_eq!(producers.add(1, spec("a", AccessMode::Exclusive)), granted(Some(5)));
        assert_eq!(producers.add(2, spec("b", AccessMode::Shared)), Err(Refusal::Busy));
        assert_eq!(producers.add(3, spec("c", AccessMode::Exclusive)), Err(Refusal::Fenced));
        producers.remove(1);
        assert_eq!(producers.add(2, spec("b", AccessMode::Shared)), granted(None));
    }

    /// Restored metadata is older than the epochs that clients have. Such an epoch was once given to a second
    /// producer.
    #[test]
    fn an_epoch_that_a_client_holds_is_not_given_again() {
        let mut producers = Producers::new(Some(2));
        let ahead = ProducerSpec { topic_epoch: Some(7), ..spec("a", AccessMode::Exclusive) };
        assert_eq!(producers.add(1, ahead), granted(Some(8)));
        let mut producers = Producers::new(Some(2));
        let invented = ProducerSpec { topic_epoch: Some(u64::MAX), ..spec("a", AccessMode::Exclusive) };
        assert_eq!(producers.add(1, invented), granted(Some(3)));
        let of_the_former = ProducerSpec { topic_epoch: Some(7), ..spec("a", AccessMode::Exclusive) };
        assert_eq!(Producers::new(None).add(1, of_the_former), granted(Some(0)), "a new topic counts from 0");
    }

    #[test]
    fn an_outdated_epoch_is_fenced_for_good() {
        let mut producers = Producers::new(Some(4));
        let old = ProducerSpec { topic_epoch: Some(3), ..spec("a", AccessMode::Exclusive) };
        assert_eq!(producers.add(1, old), Err(Refusal::Fenced));
        let shared = ProducerSpec { topic_epoch: Some(3), ..spec("a", AccessMode::Shared) };
        assert_eq!(producers.add(2, shared), granted(None));
    }

    #[test]
    fn fencing_closes_the_holder_and_fails_the_waiters() {
        let mut producers = Producers::default();
        assert_eq!(producers.add(1, spec("a", AccessMode::Exclusive)), granted(Some(0)));
        assert_eq!(producers.add(2, spec("b", AccessMode::WaitForExclusive)), Ok(Admission::Waiting));
        let admission = producers.add(3, spec("c", AccessMode::ExclusiveWithFencing)).unwrap();
        assert_eq!(admission, Admission::Granted { topic_epoch: Some(1), closed: vec![1], failed: vec![2] });
        assert_eq!(producers.remove(1), (None, Vec::new()));
        assert!(producers.is_connected(3));
    }

    #[test]
    fn waiters_take_their_turn() {
        let mut producers = Producers::default();
        assert_eq!(producers.add(1, spec("a", AccessMode::Shared)), granted(None));
        assert_eq!(producers.add(2, spec("b", AccessMode::WaitForExclusive)), Ok(Admission::Waiting));
        assert_eq!(producers.add(3, spec("c", AccessMode::Shared)), Err(Refusal::Busy));
        assert_eq!(producers.remove(1), (Some(Promotion { producer: 2, topic_epoch: 0 }), Vec::new()));
    }

    #[test]
    fn only_the_successor_replaces_a_name() {
        let mut producers = Producers::default();
        producers.add(1, spec("a", AccessMode::Shared)).unwrap();
        let taken = Err(Refusal::NameTaken { holder: 1, connection: 1 });
        assert_eq!(producers.add(2, spec("a", AccessMode::Shared)), taken);
        let next = ProducerSpec { epoch: 1, ..spec("a", AccessMode::Shared) };
        assert_eq!(
            producers.add(2, next),
            Ok(Admission::Granted { topic_epoch: None, closed: vec![1], failed: Vec::new() })
        );
    }
}
