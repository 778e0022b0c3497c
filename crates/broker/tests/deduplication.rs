//! Deduplication that is switched off and on again. No message that is published meanwhile or later may be taken for a
//! duplicate of an earlier one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::{path::Path, sync::Arc, time::Duration};

use bitacora_broker::{Broker, BrokerConfig};
use bitacora_pulsar::{Client, ClientConfig, Endpoint, ProducerOptions};
use bitacora_pulsar_wire::{OutgoingMessage, TopicName};
use serde_json::Value;

async fn broker(folder: &Path) -> Broker {
    let mut config = BrokerConfig::new(folder);
    (config.listen, config.http) = (None, Some("127.0.0.1:0".parse().unwrap()));
    // These tests must not see what the broker writes at intervals.
    config.cursor_flush = Duration::from_secs(3_600);
    Broker::start(config).await.unwrap()
}

/// Starts a broker on the data that another one would leave if it were killed now.
async fn after_a_crash(of: &Path, folder: &Path) -> Broker {
    copy(of, folder);
    broker(folder).await
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

async fn switch(broker: &Broker, is_on: bool) {
    let base = format!("http://{}/admin/v2/namespaces/public/default/deduplication", broker.http_addr().unwrap());
    let answer = reqwest::Client::new().post(base).json(&Value::Bool(is_on)).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 204);
}

/// Sends one message with each of these ids as the producer `p`; returns the last id that the broker knew before.
async fn send(broker: &Broker, ids: std::ops::Range<u64>) -> i64 {
    let connector = broker.local_connector();
    let client = Client::new(ClientConfig::new(Endpoint::Local(Arc::new(move || Ok(connector.connect()))))).unwrap();
    let options =
        ProducerOptions { name: Some("p".to_owned()), ..ProducerOptions::new(TopicName::parse("t").unwrap()) };
    let mut producer = client.producer(options).await.unwrap();
    let last = producer.opened().last_sequence_id;
    for sequence_id in ids {
        let message = OutgoingMessage { value: Some(b"v"), sequence_id, ..OutgoingMessage::default() };
        let receipt = producer.send(&message).await.unwrap();
        assert!(!receipt.message_id.is_none(), "{sequence_id} was taken for a repeat");
    }
    producer.close().await.unwrap();
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_a_time_without_deduplication_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    send(&broker, 10..12).await;
    switch(&broker, false).await;
    assert_eq!(send(&broker, 0..2).await, -1);
    switch(&broker, true).await;
    assert_eq!(send(&broker, 0..2).await, -1);
    assert_eq!(send(&broker, 2..3).await, 1, "ids are compared again");
    broker.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_a_time_without_deduplication_brings_no_ids_back() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let killed = broker(first.path()).await;
    send(&killed, 10..12).await;
    switch(&killed, false).await;
    send(&killed, 30..32).await;
    let broker = after_a_crash(first.path(), second.path()).await;
    assert_eq!(send(&broker, 0..2).await, -1);
    switch(&broker, true).await;
    assert_eq!(send(&broker, 0..2).await, -1);
    broker.shutdown().await.unwrap();
    killed.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_a_time_without_deduplication_brings_only_newer_ids_back() {
    let [first, second, third] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let killed = broker(first.path()).await;
    send(&killed, 10..12).await;
    switch(&killed, false).await;
    send(&killed, 30..32).await;
    switch(&killed, true).await;
    let broker = after_a_crash(first.path(), second.path()).await;
    assert_eq!(send(&broker, 0..2).await, -1);
    let again = after_a_crash(second.path(), third.path()).await;
    assert_eq!(send(&again, 2..3).await, 1, "ids are compared again");
    for broker in [killed, broker, again] {
        broker.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_open_forgets_its_ids_too() {
    let folder = tempfile::tempdir().unwrap();
    let first = broker(folder.path()).await;
    send(&first, 10..12).await;
    first.shutdown().await.unwrap();
    let second = broker(folder.path()).await;
    switch(&second, false).await;
    switch(&second, true).await;
    assert_eq!(send(&second, 0..2).await, -1);
    second.shutdown().await.unwrap();
}
