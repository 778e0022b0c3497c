//! Tests of the broker with this project's client, in the process and over a socket, also across restarts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::{path::Path, sync::Arc, time::Duration};

use bitacora_broker::{Broker, BrokerConfig};
use bitacora_pulsar::{
    Client, ClientConfig, ConsumerOptions, Endpoint, Producer, ProducerOptions, Reader, ReaderOptions, StartPosition,
};
use bitacora_pulsar_wire::{
    BatchBuilder, OutgoingMessage, ServerError, TopicName,
    proto::{ProducerAccessMode, Schema, SchemaType},
};

async fn broker(folder: &Path) -> Broker {
    let mut config = BrokerConfig::new(folder);
    config.listen = Some("127.0.0.1:0".parse().unwrap());
    config.http = None;
    Broker::start(config).await.unwrap()
}

fn local(broker: &Broker) -> Client {
    let connector = broker.local_connector();
    let endpoint = Endpoint::Local(Arc::new(move || Ok(connector.connect())));
    // If another producer has the topic, the client tries again for this long.
    Client::new(ClientConfig { operation_timeout_ms: 1_000, ..ClientConfig::new(endpoint) }).unwrap()
}

fn socket(broker: &Broker) -> Client {
    Client::new(ClientConfig::url(format!("pulsar://{}", broker.listen_addr().unwrap()))).unwrap()
}

fn topic(name: &str) -> TopicName {
    TopicName::parse(name).unwrap()
}

fn named(name: &str) -> ProducerOptions {
    ProducerOptions { name: Some("engine".to_owned()), ..ProducerOptions::new(topic(name)) }
}

async fn send_batch(producer: &mut Producer, ids: std::ops::Range<u64>) {
    let mut builder = BatchBuilder::new();
    for id in ids {
        let value = id.to_string();
        let message = OutgoingMessage { value: Some(value.as_bytes()), sequence_id: id, ..OutgoingMessage::default() };
        builder.append(&message).unwrap();
    }
    let batch = builder.finish(&producer.entry_header(1)).unwrap().unwrap();
    producer.send_batch(batch).await.unwrap();
    producer.flush().await.unwrap();
}

async fn read_all(client: &Client, name: &str) -> Vec<String> {
    let mut reader = client.reader(ReaderOptions::new(topic(name), StartPosition::Earliest)).await.unwrap();
    let mut out = Vec::new();
    while reader.has_message_available().await.unwrap() {
        out.push(text(&mut reader).await);
    }
    out
}

async fn text(reader: &mut Reader) -> String {
    String::from_utf8(reader.next().await.unwrap().payload.to_vec()).unwrap()
}

fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_receipted_survives_a_restart_and_is_not_stored_twice() {
    let folder = tempfile::tempdir().unwrap();
    let first = broker(folder.path()).await;
    let client = local(&first);
    let mut producer = client.producer(named("t")).await.unwrap();
    assert_eq!(producer.opened().last_sequence_id, -1);
    send_batch(&mut producer, 0..10).await;
    send_batch(&mut producer, 10..12).await;
    producer.close().await.unwrap();
    drop(client);
    first.shutdown().await.unwrap();

    let second = broker(folder.path()).await;
    let client = local(&second);
    let mut producer = client.producer(named("t")).await.unwrap();
    assert_eq!(producer.opened().last_sequence_id, 11);
    send_batch(&mut producer, 12..15).await;
    assert_eq!(read_all(&socket(&second), "t").await, numbers(0..15));
    drop((producer, client));
    second.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topic_epoch_survives_a_restart_and_fences_the_second_producer() {
    let folder = tempfile::tempdir().unwrap();
    let exclusive = || ProducerOptions { access_mode: ProducerAccessMode::Exclusive, ..named("t") };
    let first = broker(folder.path()).await;
    let client = local(&first);
    let producer = client.producer(exclusive()).await.unwrap();
    assert_eq!(producer.opened().topic_epoch, Some(0));
    let other = ProducerOptions { name: None, ..exclusive() };
    let error = client.producer(other).await.unwrap_err();
    assert_eq!(error.server_error(), Some(ServerError::ProducerFenced), "{error}");
    drop((producer, client));
    first.shutdown().await.unwrap();

    let second = broker(folder.path()).await;
    let producer = local(&second).producer(exclusive()).await.unwrap();
    assert_eq!(producer.opened().topic_epoch, Some(1));
    drop(producer);
    second.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_was_fenced_out_ends_without_trying_for_its_whole_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    // The client must behave the same on both kinds of connection.
    for client in [local(&broker), socket(&broker)] {
        let fencing = |name: &str| ProducerOptions {
            name: Some(name.into()),
            access_mode: ProducerAccessMode::ExclusiveWithFencing,
            ..named("t")
        };
        let first = client.producer(fencing("first")).await.unwrap();
        let _second = client.producer(fencing("second")).await.unwrap();
        let mut progress = first.progress();
        let failed = progress.wait_for(|progress| progress.failure.is_some());
        let progress = tokio::time::timeout(Duration::from_secs(10), failed).await.expect("it still tries").unwrap();
        let error = progress.failure.as_ref().unwrap();
        assert_eq!(error.server_error(), Some(ServerError::ProducerFenced), "{error}");
    }
    broker.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_goes_on_after_a_restart_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let first = broker(folder.path()).await;
    let client = local(&first);
    let mut consumer = client.consumer(ConsumerOptions::new(topic("t"), "s")).await.unwrap();
    let mut producer = client.producer(named("t")).await.unwrap();
    for id in 0..4 {
        send_batch(&mut producer, id..id + 1).await;
    }
    for _ in 0..2 {
        let message = consumer.receive().await.unwrap();
        consumer.acknowledge(message.id).await.unwrap();
    }
    consumer.close().await.unwrap();
    drop((producer, client));
    first.shutdown().await.unwrap();

    let second = broker(folder.path()).await;
    let client = local(&second);
    let mut consumer = client.consumer(ConsumerOptions::new(topic("t"), "s")).await.unwrap();
    assert_eq!(consumer.receive().await.unwrap().payload, "2");
    assert_eq!(consumer.receive().await.unwrap().payload, "3");
    drop((consumer, client));
    second.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_get_versions_that_survive_and_an_incompatible_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let schema = |fields: &str| Schema {
        name: "s".to_owned(),
        schema_data: format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#).into(),
        schema_type: SchemaType::Avro as i32,
        properties: Vec::new(),
    };
    let with = |schema| ProducerOptions { name: None, schema: Some(schema), ..ProducerOptions::new(topic("t")) };
    let id = r#"{"name":"id","type":"int"}"#;
    let note = format!(r#"{id},{{"name":"note","type":["null","string"],"default":null}}"#);
    let version = |n: u8| vec![0, 0, 0, 0, 0, 0, 0, n];

    let first = broker(folder.path()).await;
    let client = local(&first);
    assert_eq!(client.producer(with(schema(id))).await.unwrap().opened().schema_version, version(0));
    assert_eq!(client.producer(with(schema(&note))).await.unwrap().opened().schema_version, version(1));
    drop(client);
    first.shutdown().await.unwrap();

    let second = broker(folder.path()).await;
    let client = local(&second);
    assert_eq!(client.producer(with(schema(id))).await.unwrap().opened().schema_version, version(0));
    let error = client.producer(with(schema(r#"{"name":"id","type":"string"}"#))).await.unwrap_err();
    assert_eq!(error.server_error(), Some(ServerError::IncompatibleSchema), "{error}");
    drop(client);
    second.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_broker_on_the_same_data_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let first = broker(folder.path()).await;
    let mut config = BrokerConfig::new(folder.path());
    (config.listen, config.http) = (None, None);
    let error = Broker::start(config.clone()).await.unwrap_err().to_string();
    assert!(error.contains("in use by another broker"), "{error}");
    let other = tempfile::tempdir().unwrap();
    config.data_dir = other.path().to_owned();
    config.listen = first.listen_addr();
    let error = Broker::start(config).await.unwrap_err().to_string();
    assert!(error.contains("cannot listen on 127.0.0.1:"), "{error}");
    first.shutdown().await.unwrap();
}
