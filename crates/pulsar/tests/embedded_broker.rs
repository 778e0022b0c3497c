//! The client against the embedded broker, by socket and inside the process: one set of checks for both ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitacora_broker::{Broker, BrokerConfig};
use bitacora_pulsar::wire::proto::{InitialPosition, ProducerAccessMode, ServerError, SubType};
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

/// A producer without any receipt took the higher topic epoch of an older copy for another producer.
#[tokio::test]
async fn an_older_copy_of_the_topic_is_told_from_another_producer() {
    let (older, newer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let fencing = ProducerOptions { access_mode: ProducerAccessMode::ExclusiveWithFencing, ..exclusive() };
    let house = House::start(older.path()).await;
    let client = house.local();
    for id in 0..3 {
        client
            .producer(fencing.clone())
            .await
            .unwrap()
            .send(&OutgoingMessage { sequence_id: id, ..Default::default() })
            .await
            .unwrap();
    }
    house.stop().await;
    house.start_again(newer.path()).await;
    let mut first = client.producer(fencing.clone()).await.unwrap();
    let receipt = first.send(&OutgoingMessage { sequence_id: 0, ..Default::default() }).await.unwrap();
    let producer = client.producer(fencing).await.unwrap();
    producer.set_known_end(receipt.message_id);
    house.stop().await;
    house.start_again(older.path()).await;
    let mut progress = producer.progress();
    let failed =
        tokio::time::timeout(Duration::from_secs(20), progress.wait_for(|progress| progress.failure.is_some()));
    let failure = failed.await.unwrap().unwrap().failure.clone().unwrap();
    assert!(matches!(&failure, Error::TopicBehind { .. }), "{failure}");
}

/// An entry of three messages whose metadata announce another count.
fn lying_batch(first_id: u64, announced: i32) -> bitacora_pulsar::wire::Batch {
    use bitacora_pulsar::wire::{Codec, EntryHeader, MessageMetadata, split_entry};
    use prost::Message as _;
    let mut builder = BatchBuilder::new();
    for id in first_id..first_id + 3 {
        builder.append(&OutgoingMessage { value: Some(b"v"), sequence_id: id, ..Default::default() }).unwrap();
    }
    let header = EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: None, codec: Codec::None };
    let batch = builder.finish(&header).unwrap().unwrap();
    let parts = split_entry(&batch.entry).unwrap();
    let mut metadata = MessageMetadata::decode(parts.metadata).unwrap();
    metadata.num_messages_in_batch = Some(announced);
    let metadata = metadata.encode_to_vec();
    let mut checked = u32::try_from(metadata.len()).unwrap().to_be_bytes().to_vec();
    checked.extend_from_slice(&metadata);
    checked.extend_from_slice(parts.body);
    let mut entry = vec![0x0e, 0x01];
    entry.extend_from_slice(&crc32c::crc32c(&checked).to_be_bytes());
    entry.extend_from_slice(&checked);
    bitacora_pulsar::wire::Batch { entry: entry.into(), ..batch }
}

/// Any producer can send such a batch. It once ended `client consume` for good, and a count of a thousand million would
/// have let the broker send that many messages at once. Now it is an error with an id, and it is gone when that is
/// acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_count_lies_is_told_acknowledged_and_passed() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path()).await;
    let client = house.by_url();
    let mut producer = client.producer(exclusive()).await.unwrap();
    let counts = [2, 4, 1_000_000_000, 0, -1];
    for (number, count) in (0..).zip(counts) {
        producer.send_batch(lying_batch(number * 10, count)).await.unwrap();
    }
    send_batch(&mut producer, 100..103).await;
    producer.close().await.unwrap();
    for sub_type in [SubType::Exclusive, SubType::Shared] {
        let options = ConsumerOptions {
            sub_type,
            initial_position: InitialPosition::Earliest,
            ..ConsumerOptions::new(topic(), format!("{sub_type:?}"))
        };
        let mut consumer = client.consumer(options.clone()).await.unwrap();
        let (mut told, mut ids) = (0, Vec::new());
        while ids.len() < 3 {
            match tokio::time::timeout(Duration::from_secs(20), consumer.receive()).await.expect("it goes on") {
                Ok(message) => {
                    ids.push(message.sequence_id());
                    consumer.acknowledge(message.id).await.unwrap();
                }
                Err(Error::Unreadable { id, entry, .. }) => {
                    assert!(!entry.is_empty());
                    consumer.acknowledge(id).await.unwrap();
                    told += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((told, ids), (counts.len(), vec![100, 101, 102]));
        consumer.close().await.unwrap();
        let mut again = client.consumer(options).await.unwrap();
        let more = tokio::time::timeout(Duration::from_millis(300), again.receive()).await;
        assert!(more.is_err(), "everything is acknowledged: {more:?}");
    }
    house.stop().await;
}

fn large(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}

async fn send_large(producer: &mut Producer, id: u64, value: &[u8]) -> bitacora_pulsar::SendReceipt {
    producer.send(&OutgoingMessage { value: Some(value), sequence_id: id, ..Default::default() }).await.unwrap()
}

/// Chunks over a socket and inside the process, to every kind of consumer, and acknowledged with all of them.
#[tokio::test(flavor = "multi_thread")]
async fn messages_above_the_limit_are_cut_and_joined() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path()).await;
    let values = [large(12_000_000, 5), b"small".to_vec(), large(6_000_000, 7)];
    for (client, ids) in [(house.by_url(), 0..3), (house.local(), 3..6)] {
        let options = ProducerOptions { chunking: bitacora_pulsar::Chunking::WhenTooLarge, ..exclusive() };
        let mut producer = client.producer(options).await.unwrap();
        for (id, value) in ids.zip(&values) {
            assert!(!send_large(&mut producer, id, value).await.message_id.is_none());
        }
        producer.close().await.unwrap();
    }
    let client = house.by_url();
    for sub_type in [SubType::Exclusive, SubType::Shared, SubType::KeyShared, SubType::Failover] {
        let options = ConsumerOptions {
            sub_type,
            initial_position: InitialPosition::Earliest,
            ..ConsumerOptions::new(topic(), format!("{sub_type:?}"))
        };
        let mut consumer = client.consumer(options.clone()).await.unwrap();
        for id in 0..6_u64 {
            let message = tokio::time::timeout(Duration::from_secs(20), consumer.receive()).await.unwrap().unwrap();
            assert_eq!(message.sequence_id(), id);
            assert!(message.value() == Some(&values[id as usize % 3][..]), "{id}");
            assert_eq!(message.first_chunk_id.is_some(), id % 3 != 1);
            consumer.acknowledge(message.id).await.unwrap();
        }
        consumer.close().await.unwrap();
        let mut again = client.consumer(options).await.unwrap();
        let more = tokio::time::timeout(Duration::from_millis(300), again.receive()).await;
        assert!(more.is_err(), "{sub_type:?}: every chunk is acknowledged");
    }
    assert_eq!(read_ids(&client).await, [0, 1, 2, 3, 4, 5]);
    house.stop().await;
}

/// A restart of the broker in between: what has no receipt is sent again as a whole, and is there once.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_chunks_outlives_a_restart_of_the_broker() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path()).await;
    let client = house.local();
    let options = ProducerOptions { chunking: bitacora_pulsar::Chunking::WhenTooLarge, ..exclusive() };
    let mut producer = client.producer(options).await.unwrap();
    let value = large(30_000_000, 9);
    let mut builder = BatchBuilder::new();
    builder.append(&OutgoingMessage { value: Some(&value), sequence_id: 1, ..Default::default() }).unwrap();
    let batch = builder.finish(&producer.entry_header(1)).unwrap().unwrap();
    producer.send_batch(batch).await.unwrap();
    house.stop().await;
    house.start_again(folder.path()).await;
    send_batch(&mut producer, 2..4).await;
    producer.close().await.unwrap();
    assert_eq!(read_ids(&client).await, [1, 2, 3]);
    house.stop().await;
}

/// A producer that is fenced before its PRODUCER is answered once got no answer at all, and its client waited in vain.
#[tokio::test(flavor = "multi_thread")]
async fn each_producer_of_many_that_fence_each_other_gets_an_answer() {
    const CLIENTS: usize = 4;
    const ROUNDS: usize = 150;
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path()).await;
    let mut running = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let client = house.by_url();
        running.spawn(async move {
            let mut fenced = 0;
            for _ in 0..ROUNDS {
                let options = ProducerOptions {
                    name: Some(format!("engine {number}")),
                    access_mode: ProducerAccessMode::ExclusiveWithFencing,
                    ..ProducerOptions::new(topic())
                };
                match client.producer(options).await {
                    Ok(producer) => drop(producer),
                    Err(error) => {
                        assert_eq!(error.server_error(), Some(ServerError::ProducerFenced), "{error}");
                        fenced += 1;
                    }
                }
            }
            fenced
        });
    }
    let mut fenced = 0;
    while let Some(ended) = running.join_next().await {
        fenced += ended.unwrap();
    }
    assert!(fenced < CLIENTS * ROUNDS, "nobody ever had the topic");
    house.stop().await;
}
