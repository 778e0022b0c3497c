//! A subscription whose consumers connect, acknowledge, request redelivery, seek and leave. In the end it must deliver
//! exactly the entries that were not acknowledged.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use bitacora_pulsar_wire::{BatchBuilder, Codec, Command, EntryHeader, OutgoingMessage};
use proptest::prelude::*;

use super::{CASES, connect, frames, on_topic};
use crate::{
    peer::Connection,
    subscription::{ConsumerSpec, SubscriptionKind},
    topic::{
        AccessMode, ConsumerHandle, Counter, Durability, Epochs, ProducerHandle, Publish, StartAt, SubscribeRequest,
        Subscription, Topic,
    },
};

#[derive(Debug, Clone)]
enum Step {
    Publish(u64),
    Come {
        permits: u32,
    },
    Leave(prop::sample::Index),
    /// A consumer acknowledges one of the entries that it has.
    Acknowledge(prop::sample::Index, prop::sample::Index),
    /// A consumer requests redelivery of all entries that it has.
    GiveBack(prop::sample::Index),
    Seek {
        to_end: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        3 => (1..6u64).prop_map(Step::Publish),
        2 => (0..20u32).prop_map(|permits| Step::Come { permits }),
        1 => index().prop_map(Step::Leave),
        6 => (index(), index()).prop_map(|(who, what)| Step::Acknowledge(who, what)),
        1 => index().prop_map(Step::GiveBack),
        1 => any::<bool>().prop_map(|to_end| Step::Seek { to_end }),
    ]
}

/// A consumer with the offsets that were sent to it and that it has not acknowledged or given back.
struct Member {
    handle: Arc<ConsumerHandle>,
    has: BTreeSet<u64>,
}

/// The clients of one subscription.
struct Clients {
    topic: Arc<Topic>,
    kind: SubscriptionKind,
    producer: Arc<ProducerHandle>,
    published: u64,
    acknowledged: BTreeSet<u64>,
    members: BTreeMap<u64, Member>,
    next_id: u64,
}

impl Clients {
    async fn new(topic: Arc<Topic>, kind: SubscriptionKind) -> Self {
        let producer = Arc::new(ProducerHandle {
            key: topic.next_member_key(),
            producer_id: 1,
            name: "p".to_owned(),
            is_named_by_user: false,
            mode: AccessMode::Shared,
            request_id: 1,
            schema_version: bytes::Bytes::new(),
            metadata: Vec::new(),
            connection: connect(0),
            connected_since_ms: 0,
            published: Counter::default(),
        });
        topic.admit_producer(&producer, Epochs::default()).await.unwrap();
        topic.create_subscription("s", StartAt::Earliest, HashMap::new()).await.unwrap();
        let (published, next_id) = (0, 0);
        Self { topic, kind, producer, published, acknowledged: BTreeSet::new(), members: BTreeMap::new(), next_id }
    }

    fn subscription(&self) -> Arc<Subscription> {
        self.topic.subscription("s").unwrap()
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Publish(count) => self.publish(*count).await,
            Step::Come { permits } => {
                self.come(*permits).await;
            }
            Step::Leave(who) => {
                if let Some(id) = self.pick(who) {
                    let member = self.members.remove(&id).unwrap();
                    self.topic.detach_consumer(&self.subscription(), member.handle.key);
                }
            }
            Step::Acknowledge(who, what) => self.acknowledge(who, what),
            Step::GiveBack(who) => {
                if let Some(id) = self.pick(who) {
                    let subscription = self.subscription();
                    let member = self.members.get_mut(&id).unwrap();
                    member.has.clear();
                    subscription.lock().dispatcher.redeliver(member.handle.key, None, None);
                    subscription.wake();
                }
            }
            Step::Seek { to_end } => {
                let to = if *to_end { StartAt::Latest } else { StartAt::Earliest };
                self.topic.seek(&self.subscription(), &to).await.unwrap();
                self.acknowledged = if *to_end { (0..self.published).collect() } else { BTreeSet::new() };
                // The broker has closed its consumers.
                self.members.clear();
            }
        }
        self.hear().await;
    }

    fn pick(&self, who: &prop::sample::Index) -> Option<u64> {
        let ids: Vec<u64> = self.members.keys().copied().collect();
        (!ids.is_empty()).then(|| *who.get(&ids))
    }

    async fn publish(&mut self, count: u64) {
        for _ in 0..count {
            let mut builder = BatchBuilder::new();
            builder.append(&OutgoingMessage { value: Some(b"v"), ..OutgoingMessage::default() }).unwrap();
            let header =
                EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: None, codec: Codec::None };
            let entry = builder.finish(&header).unwrap().unwrap().entry;
            self.topic.publish(&self.producer, Publish { sequence_id: 0, highest_sequence_id: None, entry });
            self.published += 1;
        }
        while self.topic.log().durable_end() < self.published {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn come(&mut self, permits: u32) -> Option<u64> {
        self.next_id += 1;
        let handle = Arc::new(ConsumerHandle {
            key: self.topic.next_member_key(),
            consumer_id: self.next_id,
            name: self.next_id.to_string(),
            metadata: Vec::new(),
            connection: connect(self.next_id),
            connected_since_ms: 0,
        });
        let request = SubscribeRequest {
            subscription: "s".to_owned(),
            kind: self.kind,
            durability: Durability::Durable,
            start: StartAt::Latest,
            spec: ConsumerSpec { name: handle.name.clone(), ..ConsumerSpec::default() },
            properties: HashMap::new(),
        };
        let admitted = self.topic.subscribe(&handle, &request).await;
        let is_alone = self.members.is_empty();
        assert_eq!(admitted.is_ok(), is_alone || self.kind != SubscriptionKind::Exclusive);
        let subscription = admitted.ok()?;
        subscription.lock().dispatcher.flow(handle.key, permits);
        subscription.wake();
        self.members.insert(self.next_id, Member { handle, has: BTreeSet::new() });
        Some(self.next_id)
    }

    fn acknowledge(&mut self, who: &prop::sample::Index, what: &prop::sample::Index) {
        let Some(id) = self.pick(who) else { return };
        let member = self.members.get_mut(&id).unwrap();
        let has: Vec<u64> = member.has.iter().copied().collect();
        if has.is_empty() {
            return;
        }
        let offset = *what.get(&has);
        member.has.remove(&offset);
        self.acknowledged.insert(offset);
        let subscription = self.topic.subscription("s").unwrap();
        subscription.lock().dispatcher.ack(member.handle.key, offset, None);
        subscription.wake();
    }

    /// Takes what was sent to the clients until nothing more comes.
    async fn hear(&mut self) {
        let mut quiet = 0;
        while quiet < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let ids: Vec<u64> = self.members.keys().copied().collect();
            let mut count = 0;
            for id in ids {
                let connection = Arc::clone(&self.members[&id].handle.connection);
                count += self.hear_one(id, &connection).await;
            }
            quiet = if count == 0 { quiet + 1 } else { 0 };
        }
    }

    async fn hear_one(&mut self, id: u64, connection: &Connection) -> usize {
        let sent: Vec<u64> =
            frames(connection).await.into_iter().filter_map(|command| self.offset_of(&command)).collect();
        for offset in &sent {
            assert!(!self.acknowledged.contains(offset), "{offset} was acknowledged");
            for (other, member) in &self.members {
                assert!(!member.has.contains(offset), "{offset} was sent to {id}, and {other} has it");
            }
            self.members.get_mut(&id).unwrap().has.insert(*offset);
        }
        sent.len()
    }

    fn offset_of(&self, command: &Command) -> Option<u64> {
        let Command::Message(message) = command else { return None };
        self.topic.offset_of(&message.message_id)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn what_is_not_acknowledged_comes_and_nothing_else(
        kind in prop_oneof![
            Just(SubscriptionKind::Exclusive), Just(SubscriptionKind::Shared),
            Just(SubscriptionKind::Failover), Just(SubscriptionKind::KeyShared),
        ],
        steps in prop::collection::vec(step(), 1..60),
    ) {
        on_topic(async |topic| {
            let mut clients = Clients::new(topic, kind).await;
            for step in &steps {
                clients.take(step).await;
            }
            for (_, member) in std::mem::take(&mut clients.members) {
                clients.topic.detach_consumer(&clients.subscription(), member.handle.key);
            }
            let last = clients.come(100_000).await.unwrap();
            clients.hear().await;
            let is_expected = |offset: &u64| !clients.acknowledged.contains(offset);
            let expected: BTreeSet<u64> = (0..clients.published).filter(is_expected).collect();
            assert_eq!(clients.members[&last].has, expected);
        });
    }
}
