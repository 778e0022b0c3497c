//! The client against a real Pulsar, whose addresses are in `BITACORA_PULSAR_URL` and `BITACORA_PULSAR_HTTP`.
//! Deduplication is switched on for `public/default`. Every test has a topic of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::time::Duration;

use bitacora_pulsar::wire::proto::{InitialPosition, ProducerAccessMode, SchemaType, SubType};
use bitacora_pulsar::wire::schema::{self, KeyValueEncoding, SchemaHalf};
use bitacora_pulsar::wire::{BatchBuilder, MessageId, MessageKey, OutgoingMessage, ServerError, TopicName};
use bitacora_pulsar::{
    Admin, Auth, AutoCreation, BatchIndexAck, Client, ClientConfig, Consumer, ConsumerOptions, Error, Message,
    Producer, ProducerOptions, Reader, ReaderOptions, Seek, StartPosition,
};
use bytes::Bytes;

fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; `make conformance` sets it"))
}

fn config() -> ClientConfig {
    ClientConfig { operation_timeout_ms: 10_000, ..ClientConfig::url(environment("BITACORA_PULSAR_URL")) }
}

fn client() -> Client {
    Client::new(config()).unwrap()
}

async fn admin() -> Admin {
    let admin = Admin::new(&environment("BITACORA_PULSAR_HTTP"), Auth::None).unwrap();
    admin.enable_deduplication("public/default").await.unwrap();
    admin
}

/// A topic that exists already, with deduplication known to be on.
async fn topic(name: &str) -> TopicName {
    let admin = admin().await;
    let topic = TopicName::parse(&format!("bitacora-{name}-{:08x}", rand::random::<u32>())).unwrap();
    admin.create_topic(&topic).await.unwrap();
    // The policy reaches the topic in the background.
    for _ in 0..200 {
        if admin.stats(&topic).await.unwrap()["deduplicationStatus"] == "Enabled" {
            return topic;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("deduplication is not enabled");
}

fn exclusive(topic: &TopicName) -> ProducerOptions {
    ProducerOptions {
        name: Some("bitacora".into()),
        access_mode: ProducerAccessMode::Exclusive,
        ..ProducerOptions::new(topic.clone())
    }
}

fn text(id: u64) -> String {
    format!("message {id}")
}

async fn send_batch(producer: &mut Producer, ids: &[u64]) -> Result<(), Error> {
    let mut builder = BatchBuilder::new();
    for id in ids {
        let value = text(*id);
        let key = id.to_string();
        let message = OutgoingMessage {
            key: MessageKey::Bytes(key.as_bytes()),
            value: Some(value.as_bytes()),
            sequence_id: *id,
            ..Default::default()
        };
        builder.append(&message).unwrap();
    }
    let batch = builder.finish(&producer.entry_header(1_700_000_000_000)).unwrap().unwrap();
    producer.send_batch(batch).await
}

async fn read_ids(client: &Client, topic: &TopicName) -> Vec<u64> {
    let mut reader = client.reader(ReaderOptions::new(topic.clone(), StartPosition::Earliest)).await.unwrap();
    let mut ids = Vec::new();
    while reader.has_message_available().await.unwrap() {
        ids.push(next(&mut reader).await.sequence_id());
    }
    ids
}

async fn next(reader: &mut Reader) -> Message {
    tokio::time::timeout(Duration::from_secs(10), reader.next()).await.expect("no message came").unwrap()
}

async fn receive(consumer: &mut Consumer) -> Message {
    tokio::time::timeout(Duration::from_secs(10), consumer.receive()).await.expect("no message came").unwrap()
}

async fn nothing_comes(consumer: &mut Consumer) {
    let more = tokio::time::timeout(Duration::from_millis(500), consumer.receive()).await;
    assert!(more.is_err(), "{more:?} came");
}

#[tokio::test]
async fn batches_are_read_back_and_a_restart_knows_the_last_sequence_id() {
    let topic = topic("restart").await;
    let first = client();
    let mut producer = first.producer(exclusive(&topic)).await.unwrap();
    assert_eq!(producer.last_sequence_id(), -1);
    send_batch(&mut producer, &[10, 25, 30]).await.unwrap();
    send_batch(&mut producer, &[31]).await.unwrap();
    send_batch(&mut producer, &[40, 41]).await.unwrap();
    producer.flush().await.unwrap();
    assert_eq!(producer.progress().borrow().durable_sequence_id, 41);
    // Without a farewell, as after kill -9.
    drop((producer, first));

    let client = client();
    let mut producer = client.producer(exclusive(&topic)).await.unwrap();
    assert_eq!(producer.last_sequence_id(), 41);
    assert!(matches!(send_batch(&mut producer, &[41]).await, Err(Error::SequenceOrder { .. })));
    send_batch(&mut producer, &[50, 51]).await.unwrap();
    producer.close().await.unwrap();
    assert_eq!(read_ids(&client, &topic).await, [10, 25, 30, 31, 40, 41, 50, 51]);
}

#[tokio::test]
async fn each_producer_name_has_sequence_ids_of_its_own() {
    let topic = topic("duplicate").await;
    let (first, second) = (client(), client());
    let shared = |name: &str| ProducerOptions { name: Some(name.into()), ..ProducerOptions::new(topic.clone()) };
    let mut producer = first.producer(shared("a")).await.unwrap();
    send_batch(&mut producer, &[1, 2, 3]).await.unwrap();
    producer.close().await.unwrap();
    let mut other_name = second.producer(shared("b")).await.unwrap();
    send_batch(&mut other_name, &[2, 3]).await.unwrap();
    send_batch(&mut other_name, &[4]).await.unwrap();
    other_name.close().await.unwrap();
    let again = second.producer(shared("a")).await.unwrap();
    assert_eq!(again.last_sequence_id(), 3);
    assert_eq!(read_ids(&second, &topic).await, [1, 2, 3, 2, 3, 4]);
}

#[tokio::test]
async fn an_unloaded_topic_loses_and_repeats_nothing() {
    let topic = topic("unload").await;
    let (client, admin) = (client(), admin().await);
    let mut producer = client.producer(exclusive(&topic)).await.unwrap();
    let count = 300;
    for id in 0..count {
        send_batch(&mut producer, &[id * 2, id * 2 + 1]).await.unwrap();
        if id % 100 == 50 {
            admin.unload(&topic).await.unwrap();
        }
    }
    producer.flush().await.unwrap();
    let progress = producer.progress().borrow().clone();
    assert!(progress.reconnect_count >= 1, "{progress:?}");
    assert_eq!(read_ids(&client, &topic).await, (0..count * 2).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_second_exclusive_producer_is_refused_and_a_fencing_one_takes_over() {
    let topic = topic("fence").await;
    let mut impatient = config();
    impatient.operation_timeout_ms = 1_000;
    let client = Client::new(impatient).unwrap();
    let mut first = client.producer(exclusive(&topic)).await.unwrap();
    send_batch(&mut first, &[1]).await.unwrap();
    first.flush().await.unwrap();
    let named = |name: &str, access_mode| ProducerOptions { name: Some(name.into()), access_mode, ..exclusive(&topic) };
    let refused = client.producer(named("other", ProducerAccessMode::Exclusive)).await.unwrap_err();
    assert_eq!(refused.server_error(), Some(ServerError::ProducerFenced), "{refused}");
    let taker = client.producer(named("taker", ProducerAccessMode::ExclusiveWithFencing)).await.unwrap();
    assert!(taker.opened().topic_epoch > first.opened().topic_epoch);
    // The broker does not tell the first one: it learns by its next message, which must not be stored.
    send_batch(&mut first, &[2]).await.unwrap();
    let mut progress = first.progress();
    let failed = progress.wait_for(|progress| progress.failure.is_some());
    tokio::time::timeout(Duration::from_secs(20), failed).await.expect("the first producer goes on").unwrap();
    assert!(send_batch(&mut first, &[3]).await.is_err());
    assert_eq!(read_ids(&client, &topic).await, [1]);
}

#[tokio::test]
async fn key_value_schema_is_registered_and_stamped_on_the_messages() {
    let topic = topic("schema").await;
    let half = |name: &str, field: &str| SchemaHalf {
        name: name.into(),
        schema_type: SchemaType::Json as i32,
        data: Bytes::from(format!(
            r#"{{"type":"record","name":"{name}","namespace":"n","fields":[{{"name":"{field}","type":"int"}}]}}"#
        )),
        properties: r#"{"__AVRO_READ_OFFSET__":"0"}"#.into(),
    };
    let schema = schema::key_value("kv", &half("Key", "id"), &half("Envelope", "x"), KeyValueEncoding::Separated);
    let client = client();
    let options = ProducerOptions { schema: Some(schema.clone()), ..exclusive(&topic) };
    let mut producer = client.producer(options).await.unwrap();
    assert_eq!(schema::version_number(&producer.opened().schema_version), Some(0));
    let receipt = producer
        .send(&OutgoingMessage {
            key: MessageKey::Bytes(br#"{"id":1}"#),
            value: Some(br#"{"x":1}"#),
            sequence_id: 5,
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(receipt.sequence_id, 5);
    assert!(!receipt.message_id.is_none());

    let seen = client.schema(&topic, None).await.unwrap().unwrap();
    assert_eq!(seen.schema.schema_data, schema.schema_data);
    assert_eq!(schema::version_number(&seen.version), Some(0));
    let shown = admin().await.schema(&topic).await.unwrap().unwrap();
    assert_eq!((shown.schema_type.as_str(), shown.version), ("KEY_VALUE", 0));
    assert_eq!(shown.properties["kv.encoding.type"], "SEPARATED");
    let mut reader = client.reader(ReaderOptions::new(topic, StartPosition::Earliest)).await.unwrap();
    let message = next(&mut reader).await;
    assert_eq!(message.key().as_deref(), Some(&br#"{"id":1}"#[..]));
    assert_eq!(message.schema_version().map(|version| &version[..]), Some(&[0; 8][..]));
    assert_eq!(client.schema(&TopicName::parse("none-at-all").unwrap(), None).await.unwrap(), None);
}

async fn filled(name: &str, batches: &[&[u64]]) -> (Client, TopicName) {
    let topic = topic(name).await;
    let client = client();
    let mut producer = client.producer(exclusive(&topic)).await.unwrap();
    for ids in batches {
        send_batch(&mut producer, ids).await.unwrap();
    }
    producer.close().await.unwrap();
    (client, topic)
}

fn subscription(topic: &TopicName, sub_type: SubType) -> ConsumerOptions {
    ConsumerOptions {
        sub_type,
        initial_position: InitialPosition::Earliest,
        ..ConsumerOptions::new(topic.clone(), "sub")
    }
}

#[tokio::test]
async fn acknowledged_messages_do_not_come_again() {
    let (client, topic) = filled("ack", &[&[1, 2, 3], &[4], &[5, 6]]).await;
    let mut consumer = client.consumer(subscription(&topic, SubType::Exclusive)).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..6 {
        let message = receive(&mut consumer).await;
        assert_eq!(message.value(), Some(text(message.sequence_id()).as_bytes()));
        ids.push(message.id);
    }
    nothing_comes(&mut consumer).await;
    // The middle of the last batch: it comes again as a whole.
    consumer.acknowledge_cumulative(ids[4]).await.unwrap();
    consumer.close().await.unwrap();
    let mut consumer = client.consumer(subscription(&topic, SubType::Exclusive)).await.unwrap();
    for expected in [5, 6] {
        let message = receive(&mut consumer).await;
        assert_eq!(message.sequence_id(), expected);
        consumer.acknowledge(message.id).await.unwrap();
    }
    consumer.close().await.unwrap();
    let mut consumer = client.consumer(subscription(&topic, SubType::Exclusive)).await.unwrap();
    nothing_comes(&mut consumer).await;
    consumer.unsubscribe().await.unwrap();
}

#[tokio::test]
async fn a_second_exclusive_consumer_is_refused() {
    let (client, topic) = filled("busy", &[&[1]]).await;
    let mut impatient = config();
    impatient.operation_timeout_ms = 500;
    let second = Client::new(impatient).unwrap();
    let _first = client.consumer(subscription(&topic, SubType::Exclusive)).await.unwrap();
    let refused = second.consumer(subscription(&topic, SubType::Exclusive)).await.unwrap_err();
    assert_eq!(refused.server_error(), Some(ServerError::ConsumerBusy), "{refused}");
}

#[tokio::test]
async fn given_back_messages_come_again_with_their_count() {
    let (client, topic) = filled("nack", &[&[1], &[2], &[3]]).await;
    let mut consumer = client.consumer(subscription(&topic, SubType::Shared)).await.unwrap();
    let mut second = None;
    for _ in 0..3 {
        let message = receive(&mut consumer).await;
        if message.sequence_id() == 2 {
            second = Some(message.id);
        } else {
            consumer.acknowledge(message.id).await.unwrap();
        }
    }
    consumer.negative_acknowledge(second.unwrap()).await.unwrap();
    let again = receive(&mut consumer).await;
    assert_eq!((again.sequence_id(), again.redelivery_count), (2, 1));
    consumer.acknowledge(again.id).await.unwrap();
    nothing_comes(&mut consumer).await;
}

#[tokio::test]
async fn everything_unacknowledged_comes_again_on_request() {
    let (client, topic) = filled("redeliver", &[&[1, 2], &[3]]).await;
    let mut consumer = client.consumer(subscription(&topic, SubType::Failover)).await.unwrap();
    for _ in 0..2 {
        for expected in 1..=3 {
            assert_eq!(receive(&mut consumer).await.sequence_id(), expected);
        }
        consumer.redeliver_unacknowledged().await.unwrap();
    }
}

#[tokio::test]
async fn key_shared_consumers_get_every_message_once() {
    let (client, topic) = filled("keyshared", &[&[1], &[2], &[3], &[4], &[5], &[6]]).await;
    let options =
        ConsumerOptions { batch_index_ack: BatchIndexAck::EachMessage, ..subscription(&topic, SubType::KeyShared) };
    let mut consumer = client.consumer(options).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..6 {
        let message = receive(&mut consumer).await;
        consumer.acknowledge(message.id).await.unwrap();
        ids.push(message.sequence_id());
    }
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn seeking_into_a_batch_and_to_the_ends() {
    let (client, topic) = filled("seek", &[&[1, 2, 3], &[4], &[5]]).await;
    let mut consumer = client.consumer(subscription(&topic, SubType::Exclusive)).await.unwrap();
    let mut messages = Vec::new();
    for _ in 0..5 {
        messages.push(receive(&mut consumer).await);
    }
    consumer.seek(Seek::To(messages[1].id)).await.unwrap();
    for expected in 2..=5 {
        assert_eq!(receive(&mut consumer).await.sequence_id(), expected);
    }
    consumer.seek(Seek::To(MessageId::EARLIEST)).await.unwrap();
    assert_eq!(receive(&mut consumer).await.sequence_id(), 1);
    consumer.seek(Seek::To(MessageId::LATEST)).await.unwrap();
    nothing_comes(&mut consumer).await;
    consumer.seek(Seek::PublishTime(0)).await.unwrap();
    assert_eq!(receive(&mut consumer).await.sequence_id(), 1);
}

#[tokio::test]
async fn readers_start_where_they_are_told() {
    let (client, topic) = filled("reader", &[&[1, 2, 3], &[4]]).await;
    let reader = async |start| client.reader(ReaderOptions::new(topic.clone(), start)).await.unwrap();
    let mut from_start = reader(StartPosition::Earliest).await;
    let mut ids = Vec::new();
    while from_start.has_message_available().await.unwrap() {
        ids.push(next(&mut from_start).await.id);
    }
    assert_eq!(ids.len(), 4);
    assert_eq!(from_start.last_message().await.unwrap().last.entry, ids[3].entry);
    assert_eq!(next(&mut reader(StartPosition::After(ids[1])).await).await.sequence_id(), 3);
    assert_eq!(next(&mut reader(StartPosition::At(ids[1])).await).await.sequence_id(), 2);
    assert!(!reader(StartPosition::Latest).await.has_message_available().await.unwrap());
    assert!(!reader(StartPosition::After(ids[3])).await.has_message_available().await.unwrap());
    from_start.seek(Seek::To(ids[3])).await.unwrap();
    assert_eq!(next(&mut from_start).await.sequence_id(), 4);
}

#[tokio::test]
async fn an_empty_topic_has_no_last_message() {
    let topic = topic("empty").await;
    let mut reader = client().reader(ReaderOptions::new(topic, StartPosition::Earliest)).await.unwrap();
    assert!(reader.last_message().await.unwrap().last.is_none());
    assert!(!reader.has_message_available().await.unwrap());
}

#[tokio::test]
async fn a_consumer_survives_the_unloading_of_its_topic() {
    let (client, topic) = filled("consumer-unload", &[&[1], &[2]]).await;
    let mut consumer = client.consumer(subscription(&topic, SubType::Exclusive)).await.unwrap();
    let first = receive(&mut consumer).await;
    consumer.acknowledge_cumulative(first.id).await.unwrap();
    assert_eq!(receive(&mut consumer).await.sequence_id(), 2);
    admin().await.unload(&topic).await.unwrap();
    // A broker writes positions lazily: the acknowledged message may come again, the other one must.
    let mut again = receive(&mut consumer).await.sequence_id();
    if again == 1 {
        again = receive(&mut consumer).await.sequence_id();
    }
    assert_eq!(again, 2);
}

#[tokio::test]
async fn partitions_and_topics_are_listed() {
    let (client, admin) = (client(), admin().await);
    let topic = TopicName::parse(&format!("bitacora-parts-{:08x}", rand::random::<u32>())).unwrap();
    admin.create_partitions(&topic, 3).await.unwrap();
    assert_eq!(client.partitions(&topic, AutoCreation::Never).await.unwrap(), 3);
    assert_eq!(admin.partitions(&topic).await.unwrap(), 3);
    let mut producer = client.producer(ProducerOptions::new(topic.with_partition(1))).await.unwrap();
    send_batch(&mut producer, &[1]).await.unwrap();
    producer.flush().await.unwrap();
    let name = topic.with_partition(1).to_string();
    assert!(client.topics("public/default").await.unwrap().contains(&name));
    assert!(admin.topics("public/default").await.unwrap().contains(&name));
    let missing = TopicName::parse("bitacora-not-there").unwrap();
    let before = client.topics("public/default").await.unwrap();
    assert!(client.partitions(&missing, AutoCreation::Never).await.is_err());
    assert_eq!(client.topics("public/default").await.unwrap().len(), before.len());
}

#[tokio::test]
async fn a_plain_thread_sends_with_back_pressure() {
    let topic = topic("thread").await;
    let client = client();
    let options = ProducerOptions { max_pending_bytes: 4096, ..exclusive(&topic) };
    let mut producer = client.producer(options).await.unwrap();
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::spawn(move || {
        let mut builder = BatchBuilder::new();
        for id in 0..2_000u64 {
            let value = text(id);
            builder
                .append(&OutgoingMessage { value: Some(value.as_bytes()), sequence_id: id, ..Default::default() })
                .unwrap();
            if builder.message_count() == 10 {
                let batch = builder.finish(&producer.entry_header(1)).unwrap().unwrap();
                producer.send_batch_blocking(batch, &runtime).unwrap();
            }
        }
        producer
    });
    let mut producer = tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
    producer.flush().await.unwrap();
    assert_eq!(producer.progress().borrow().durable_sequence_id, 1999);
    assert_eq!(read_ids(&client, &topic).await, (0..2_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn wrong_addresses_and_names_are_told_apart() {
    let mut nowhere = ClientConfig::url("pulsar://127.0.0.1:1");
    nowhere.operation_timeout_ms = 300;
    let refused = Client::new(nowhere).unwrap().check().await.unwrap_err();
    assert!(matches!(refused, Error::Connect { .. }), "{refused}");
    let missing = TopicName::parse("persistent://no-tenant/ns/t").unwrap();
    let refused = client().producer(ProducerOptions::new(missing)).await.unwrap_err();
    assert!(!refused.is_retryable(), "{refused}");
}
