//! The client against the embedded broker, by socket and inside the process: one set of checks for both ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitacora_broker::{Broker, BrokerConfig};
use bitacora_pulsar::wire::proto::{InitialPosition, ProducerAccessMode, SubType};
use bitacora_pulsar::wire::{BatchBuilder, MessageKey, OutgoingMessage, TopicName};
use bitacora_pulsar::{
    Client, ClientConfig, ConsumerOptions, Endpoint, Error, Producer, ProducerOptions, ReaderOptions, Seek,
    StartPosition,
};

/// A broker that can be ended and started again behind the back of its in-process clients.
#[derive(Clone)]
struct House {
    broker: Arc<Mutex<Option<Broker>>>,
}

impl House {
    async fn start(data_dir: &Path) -> Self {
        Self { broker: Arc::new(Mutex::new(Some(open(data_dir).await))) }
    }

    fn local(&self) -> Client {
        let broker = Arc::clone(&self.broker);
        let connect = move || broker.lock().unwrap().as_ref().map(Broker::local_connection).ok_or(Error::Disconnected);
        client(Endpoint::Local(Arc::new(connect)))
    }

    fn by_url(&self) -> Client {
        let address = self.broker.lock().unwrap().as_ref().unwrap().listen_addr().unwrap();
        client(Endpoint::Url(format!("pulsar://{address}")))
    }

    async fn stop(&self) {
        let broker = self.broker.lock().unwrap().take().unwrap();
        broker.shutdown().await.unwrap();
    }

    async fn start_again(&self, data_dir: &Path) {
        let broker = open(data_dir).await;
        *self.broker.lock().unwrap() = Some(broker);
    }
}

fn client(endpoint: Endpoint) -> Client {
    Client::new(ClientConfig { operation_timeout_ms: 10_000, ..ClientConfig::new(endpoint) }).unwrap()
}

async fn open(data_dir: &Path) -> Broker {
    let mut config = BrokerConfig::new(data_dir);
    config.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    config.http = None;
    Broker::start(config).await.unwrap()
}

fn topic() -> TopicName {
    TopicName::parse("changes").unwrap()
}

fn exclusive() -> ProducerOptions {
    ProducerOptions {
        name: Some("bitacora".into()),
        access_mode: ProducerAccessMode::Exclusive,
        ..ProducerOptions::new(topic())
    }
}

async fn send_batch(producer: &mut Producer, ids: std::ops::Range<u64>) {
    let mut builder = BatchBuilder::new();
    for id in ids {
        let value = format!("value {id}");
        let message = OutgoingMessage {
            key: MessageKey::Bytes(b"key"),
            value: Some(value.as_bytes()),
            sequence_id: id,
            ..Default::default()
        };
        builder.append(&message).unwrap();
    }
    let batch = builder.finish(&producer.entry_header(1_700_000_000_000)).unwrap().unwrap();
    producer.send_batch(batch).await.unwrap();
}

async fn read_ids(client: &Client) -> Vec<u64> {
    let mut reader = client.reader(ReaderOptions::new(topic(), StartPosition::Earliest)).await.unwrap();
    let mut ids = Vec::new();
    while reader.has_message_available().await.unwrap() {
        let message = tokio::time::timeout(Duration::from_secs(10), reader.next()).await.unwrap().unwrap();
        ids.push(message.sequence_id());
    }
    ids
}

async fn check_produce_and_restart_of_the_client(connect: impl Fn() -> Client) {
    let first = connect();
    let mut producer = first.producer(exclusive()).await.unwrap();
    assert_eq!(producer.last_sequence_id(), -1);
    send_batch(&mut producer, 10..13).await;
    send_batch(&mut producer, 20..21).await;
    send_batch(&mut producer, 21..22).await;
    producer.flush().await.unwrap();
    assert_eq!(producer.progress().borrow().durable_sequence_id, 21);
    drop((producer, first));
    let second = connect();
    let mut producer = second.producer(exclusive()).await.unwrap();
    assert_eq!(producer.last_sequence_id(), 21);
    send_batch(&mut producer, 30..32).await;
    producer.close().await.unwrap();
    assert_eq!(read_ids(&second).await, [10, 11, 12, 20, 21, 30, 31]);
}

async fn check_consumer(connect: impl Fn() -> Client) {
    let client = connect();
    let mut producer = client.producer(exclusive()).await.unwrap();
    send_batch(&mut producer, 1..4).await;
    send_batch(&mut producer, 4..5).await;
    producer.flush().await.unwrap();
    for sub_type in [SubType::Exclusive, SubType::Shared, SubType::Failover] {
        let options = ConsumerOptions {
            sub_type,
            initial_position: InitialPosition::Earliest,
            ..ConsumerOptions::new(topic(), format!("{sub_type:?}"))
        };
        let mut consumer = client.consumer(options.clone()).await.unwrap();
        let mut ids = Vec::new();
        for expected in 1..5 {
            let message = tokio::time::timeout(Duration::from_secs(10), consumer.receive()).await.unwrap().unwrap();
            assert_eq!(message.sequence_id(), expected);
            assert_eq!(message.key().as_deref(), Some(&b"key"[..]));
            ids.push(message.id);
        }
        consumer.seek(Seek::To(ids[1])).await.unwrap();
        for expected in 2..5 {
            let message = consumer.receive().await.unwrap();
            assert_eq!(message.sequence_id(), expected);
            consumer.acknowledge(message.id).await.unwrap();
        }
        consumer.unsubscribe().await.unwrap();
    }
}

#[tokio::test]
async fn produce_and_restart_of_the_client() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path()).await;
    check_produce_and_restart_of_the_client(|| house.by_url()).await;
    house.stop().await;
    let folder = tempfile::tempdir().unwrap();
    house.start_again(folder.path()).await;
    check_produce_and_restart_of_the_client(|| house.local()).await;
    house.stop().await;
}

#[tokio::test]
async fn consume_seek_acknowledge() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path()).await;
    check_consumer(|| house.by_url()).await;
    house.stop().await;
    let folder = tempfile::tempdir().unwrap();
    house.start_again(folder.path()).await;
    check_consumer(|| house.local()).await;
    house.stop().await;
}

/// The broker ends in the middle of a stream and comes back: what had no receipt is sent again, nothing twice.
#[tokio::test]
async fn a_restart_of_the_broker_loses_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path()).await;
    let client = house.local();
    let mut producer = client.producer(exclusive()).await.unwrap();
    for round in 0..3u64 {
        for batch in 0..100u64 {
            let first = (round * 100 + batch) * 2;
            send_batch(&mut producer, first..first + 2).await;
        }
        house.stop().await;
        house.start_again(folder.path()).await;
    }
    tokio::time::timeout(Duration::from_secs(30), producer.flush()).await.unwrap().unwrap();
    assert!(producer.progress().borrow().reconnect_count >= 1);
    assert_eq!(read_ids(&client).await, (0..600).collect::<Vec<_>>());
    drop(producer);
    house.stop().await;
}
