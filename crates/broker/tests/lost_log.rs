//! A log that has lost entries at its end. New messages in their place must be stored and delivered, whatever sequence
//! ids and cursors were stored for the lost ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bitacora_broker::{Broker, BrokerConfig, repair};
use bitacora_pulsar::{AutoCreation, Client, ClientConfig, ConsumerOptions, Endpoint, ProducerOptions};
use bitacora_pulsar_wire::{MessageId, OutgoingMessage, TopicName};
use tokio::time::timeout;

async fn broker(folder: &Path) -> Broker {
    let mut config = BrokerConfig::new(folder);
    (config.listen, config.http) = (None, None);
    Broker::start(config).await.unwrap()
}

fn client(broker: &Broker) -> Client {
    let connector = broker.local_connector();
    Client::new(ClientConfig::new(Endpoint::Local(Arc::new(move || Ok(connector.connect()))))).unwrap()
}

fn topic(name: &str) -> TopicName {
    TopicName::parse(name).unwrap()
}

/// Sends one message with each of these ids as the producer `p`; returns the last id that the broker knew before, and
/// the ids of the stored messages. A duplicate has no message id.
async fn send(broker: &Broker, name: &str, ids: std::ops::Range<u64>) -> (i64, Vec<MessageId>) {
    let options = ProducerOptions { name: Some("p".to_owned()), ..ProducerOptions::new(topic(name)) };
    let mut producer = client(broker).producer(options).await.unwrap();
    let (last, mut places) = (producer.opened().last_sequence_id, Vec::new());
    for sequence_id in ids {
        let value = sequence_id.to_string();
        let message = OutgoingMessage { value: Some(value.as_bytes()), sequence_id, ..OutgoingMessage::default() };
        places.push(producer.send(&message).await.unwrap().message_id);
    }
    producer.close().await.unwrap();
    (last, places)
}

/// Receives and acknowledges `count` messages of the subscription `s`.
async fn receive(broker: &Broker, name: &str, count: usize) -> Vec<String> {
    let mut options = ConsumerOptions::new(topic(name), "s");
    options.initial_position = bitacora_pulsar_wire::proto::InitialPosition::Earliest;
    let mut consumer = client(broker).consumer(options).await.unwrap();
    let mut found = Vec::new();
    for _ in 0..count {
        let message = timeout(Duration::from_secs(10), consumer.receive()).await.expect("a message").unwrap();
        found.push(String::from_utf8(message.value().unwrap().to_vec()).unwrap());
        consumer.acknowledge(message.id).await.unwrap();
    }
    consumer.close().await.unwrap();
    found
}

/// Returns the segment files of the topic with the number 0, oldest first.
fn segments(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder.join("topics/0000000000000000")).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths
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

/// The broker once trusted the stored sequence ids although the log had lost the messages. A producer that sent them
/// again was told that they were duplicates, and a subscription at the former end missed the messages in their place.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_after_a_loss_is_stored_and_received() {
    for harm in ["newest segment", "half of the newest", "all"] {
        let folder = tempfile::tempdir().unwrap();
        let mut lost = Vec::new();
        for ids in [0..4, 4..8] {
            let running = broker(folder.path()).await;
            lost = send(&running, "t", ids.clone()).await.1;
            receive(&running, "t", ids.count()).await;
            running.shutdown().await.unwrap();
        }
        let newest = segments(folder.path()).pop().unwrap();
        let known = match harm {
            "newest segment" => {
                std::fs::remove_file(&newest).unwrap();
                3
            }
            "half of the newest" => {
                let bytes = std::fs::read(&newest).unwrap();
                std::fs::write(&newest, &bytes[..bytes.len() - 20]).unwrap();
                6
            }
            _ => {
                std::fs::remove_dir_all(folder.path().join("topics")).unwrap();
                -1
            }
        };
        let running = broker(folder.path()).await;
        let again = u64::try_from(known + 1).unwrap()..9;
        let (last, places) = send(&running, "t", again.clone()).await;
        assert_eq!(last, known, "{harm}");
        assert!(places.iter().all(|place| place.ledger > lost[0].ledger), "{harm}: an id was given again");
        let expected: Vec<String> = again.clone().map(|id| id.to_string()).collect();
        assert_eq!(receive(&running, "t", again.count()).await, expected, "{harm}");
        // The copy is as a crash leaves it: the broker has stored nothing at its end.
        let killed = tempfile::tempdir().unwrap();
        copy(folder.path(), killed.path());
        running.shutdown().await.unwrap();
        for folder in [folder.path(), killed.path()] {
            let running = broker(folder).await;
            assert_eq!(send(&running, "t", 9..10).await.0, 8, "{harm}: opened a second time");
            running.shutdown().await.unwrap();
        }
    }
}

/// A topic once gave the message ids of the deleted topic of the same name.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_created_again_gives_no_id_of_the_former_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = BrokerConfig::new(folder.path());
    (config.listen, config.http) = (None, Some("127.0.0.1:0".parse().unwrap()));
    let running = Broker::start(config).await.unwrap();
    let (_, former) = send(&running, "t", 0..1).await;
    let url = format!("http://{}/admin/v2/persistent/public/default/t?force=true", running.http_addr().unwrap());
    assert!(reqwest::Client::new().delete(url).send().await.unwrap().status().is_success());
    let (last, next) = send(&running, "t", 0..1).await;
    assert_eq!(last, -1);
    assert!(next[0].ledger > former[0].ledger);
    running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_metadata_is_created_again_from_the_logs() {
    let folder = tempfile::tempdir().unwrap();
    let running = broker(folder.path()).await;
    for name in ["a", "b", "parts-partition-0", "parts-partition-2"] {
        send(&running, name, 0..3).await;
    }
    running.shutdown().await.unwrap();
    std::fs::remove_file(folder.path().join("metadata.redb")).unwrap();
    let mut config = BrokerConfig::new(folder.path());
    (config.listen, config.http) = (None, None);
    let refused = Broker::start(config).await.unwrap_err().to_string();
    assert!(refused.contains("metadata.redb is missing") && refused.contains("repair"), "{refused}");
    assert_eq!(repair(folder.path()).await.unwrap().len(), 4);
    assert_eq!(repair(folder.path()).await.unwrap(), Vec::<String>::new(), "nothing is left to do");
    let running = broker(folder.path()).await;
    for name in ["a", "b", "parts-partition-2"] {
        assert_eq!(receive(&running, name, 3).await, ["0", "1", "2"], "{name}");
        assert_eq!(send(&running, name, 3..4).await.0, 2, "{name}");
    }
    assert_eq!(client(&running).partitions(&topic("parts"), AutoCreation::Never).await.unwrap(), 3);
    running.shutdown().await.unwrap();
}
