//! Producers that connect, wait and leave. An exclusive producer must be alone, epochs must grow, and no waiting
//! producer may be forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bitacora_pulsar_wire::Command;
use proptest::prelude::*;

use super::{CASES, connect, frames, on_topic};
use crate::{
    peer::Connection,
    topic::{AccessMode, Counter, Epochs, ProducerHandle, Standing, Topic},
};

const CONNECTIONS: u64 = 3;
const NAMES: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone)]
enum Step {
    Open {
        connection: u64,
        name: usize,
        mode: AccessMode,
        holds_epoch: bool,
    },
    /// The client closes one of its producers.
    Close(prop::sample::Index),
    /// A connection breaks, and a new one replaces it.
    Break(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let mode = prop_oneof![
        Just(AccessMode::Shared),
        Just(AccessMode::Exclusive),
        Just(AccessMode::WaitForExclusive),
        Just(AccessMode::ExclusiveWithFencing),
    ];
    let open = (0..CONNECTIONS, 0..NAMES.len(), mode, any::<bool>())
        .prop_map(|(connection, name, mode, holds_epoch)| Step::Open { connection, name, mode, holds_epoch });
    let close = any::<prop::sample::Index>().prop_map(Step::Close);
    prop_oneof![4 => open, 2 => close, 1 => (0..CONNECTIONS).prop_map(Step::Break)]
}

/// The state of a producer as its client knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Publishing,
    Waiting,
}

/// The clients of the topic.
struct Clients {
    topic: Arc<Topic>,
    connections: BTreeMap<u64, Arc<Connection>>,
    next_connection: u64,
    next_id: u64,
    members: BTreeMap<u64, (Arc<ProducerHandle>, Told)>,
    /// The last topic epoch that the producer of each name was given.
    epochs: BTreeMap<usize, u64>,
    newest_epoch: Option<u64>,
}

impl Clients {
    fn new(topic: Arc<Topic>) -> Self {
        let connections = (0..CONNECTIONS).map(|slot| (slot, connect(slot))).collect();
        Self {
            topic,
            connections,
            next_connection: CONNECTIONS,
            next_id: 0,
            members: BTreeMap::new(),
            epochs: BTreeMap::new(),
            newest_epoch: None,
        }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Open { connection, name, mode, holds_epoch } => {
                let held = self.epochs.get(name).copied().filter(|_| *holds_epoch && *mode != AccessMode::Shared);
                self.open(*connection, *name, *mode, held).await;
            }
            Step::Close(index) => {
                let open: Vec<u64> = self.members.keys().copied().collect();
                if !open.is_empty() {
                    let id = *index.get(&open);
                    let (handle, _) = self.members.remove(&id).unwrap();
                    self.topic.release_producer(handle.key).await;
                }
            }
            Step::Break(slot) => {
                let broken = self.connections.insert(*slot, connect(self.next_connection)).unwrap();
                self.next_connection += 1;
                broken.end();
                for (key, _) in self.topic.producers_of(broken.id) {
                    self.topic.release_producer(key).await;
                }
                self.members.retain(|_, (handle, _)| handle.connection.id != broken.id);
            }
        }
        self.hear().await;
    }

    async fn open(&mut self, slot: u64, name: usize, mode: AccessMode, held: Option<u64>) {
        self.next_id += 1;
        let handle = Arc::new(ProducerHandle {
            key: self.topic.next_member_key(),
            producer_id: self.next_id,
            name: NAMES[name].to_owned(),
            is_named_by_user: true,
            mode,
            request_id: self.next_id,
            schema_version: bytes::Bytes::new(),
            metadata: Vec::new(),
            connection: Arc::clone(&self.connections[&slot]),
            connected_since_ms: 0,
            published: Counter::default(),
        });
        // The broker sends a PING to the client whose producer has the name; only that client answers it.
        let admitted = {
            let connections: Vec<_> = self.connections.values().cloned().collect();
            let signs = async {
                loop {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                    connections.iter().for_each(|connection| connection.heard());
                }
            };
            let epochs = Epochs { producer: 0, topic: held };
            tokio::select! {
                admitted = self.topic.admit_producer(&handle, epochs) => admitted,
                () = signs => unreachable!(),
            }
        };
        match admitted {
            Ok(Standing::Ready { topic_epoch, .. }) => {
                assert_eq!(topic_epoch.is_some(), mode != AccessMode::Shared);
                self.note_epoch(&handle, topic_epoch);
                self.members.insert(self.next_id, (handle, Told::Publishing));
            }
            Ok(Standing::Waiting) => {
                assert_eq!(mode, AccessMode::WaitForExclusive);
                self.members.insert(self.next_id, (handle, Told::Waiting));
            }
            Err(_) => {}
        }
    }

    fn note_epoch(&mut self, handle: &ProducerHandle, epoch: Option<u64>) {
        let Some(epoch) = epoch else { return };
        assert!(self.newest_epoch.is_none_or(|newest| newest < epoch), "{epoch} after {:?}", self.newest_epoch);
        self.newest_epoch = Some(epoch);
        let name = NAMES.iter().position(|name| *name == handle.name).unwrap();
        self.epochs.insert(name, epoch);
    }

    /// Handles what the broker sent without a request: which producers were closed or refused, and whose turn came.
    async fn hear(&mut self) {
        let connections: Vec<_> = self.connections.values().cloned().collect();
        for connection in connections {
            for command in frames(&connection).await {
                match command {
                    Command::CloseProducer(close) => {
                        assert!(self.members.remove(&close.producer_id).is_some(), "told twice, or never a member");
                    }
                    Command::Error(error) => {
                        let (_, told) = self.members.remove(&error.request_id).expect("a member that waited");
                        assert_eq!(told, Told::Waiting);
                    }
                    Command::ProducerSuccess(success) => {
                        let (handle, told) = self.members.get_mut(&success.request_id).expect("a member that waited");
                        assert_eq!((*told, success.producer_ready), (Told::Waiting, Some(true)));
                        *told = Told::Publishing;
                        let handle = Arc::clone(handle);
                        self.note_epoch(&handle, success.topic_epoch);
                    }
                    Command::Ping(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    /// Checks what must hold whenever no command is on its way.
    fn check(&self) {
        let publishing: BTreeMap<u64, AccessMode> = self
            .members
            .values()
            .filter(|(_, told)| *told == Told::Publishing)
            .map(|(handle, _)| (handle.key, handle.mode))
            .collect();
        let of_topic: BTreeSet<u64> = self.topic.producers().iter().map(|handle| handle.key).collect();
        assert_eq!(publishing.keys().copied().collect::<BTreeSet<_>>(), of_topic, "clients and topic agree");
        let has_exclusive = publishing.values().any(|mode| *mode != AccessMode::Shared);
        assert!(!has_exclusive || publishing.len() == 1, "an exclusive producer is alone");
        assert!(!publishing.is_empty() || self.members.is_empty(), "no producer waits while none publishes");
        let names: BTreeSet<&str> = self.members.values().map(|(handle, _)| handle.name.as_str()).collect();
        assert_eq!(names.len(), self.members.len(), "each name has one producer");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn producers_come_wait_and_leave(steps in prop::collection::vec(step(), 1..60)) {
        on_topic(async |topic| {
            let mut clients = Clients::new(topic);
            for step in &steps {
                clients.take(step).await;
                clients.check();
            }
        });
    }
}
