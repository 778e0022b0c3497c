//! The broker in a process that reaches a limit of the system. Limits hold for the whole process, so these tests run
//! one after another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unsafe_code, reason = "limits and signals of the own process are set by system calls")]

use std::{path::Path, sync::Arc, time::Duration};

use bitacora_broker::{Broker, BrokerConfig};
use bitacora_pulsar::{Client, ClientConfig, Endpoint, Producer, ProducerOptions};
use bitacora_pulsar_wire::{OutgoingMessage, TopicName};

static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn broker(folder: &Path) -> Broker {
    let mut config = BrokerConfig::new(folder);
    (config.listen, config.http) = (None, Some("127.0.0.1:0".parse().unwrap()));
    Broker::start(config).await.unwrap()
}

fn client(broker: &Broker) -> Client {
    let connector = broker.local_connector();
    Client::new(ClientConfig::new(Endpoint::Local(Arc::new(move || Ok(connector.connect()))))).unwrap()
}

fn limit(resource: libc::__rlimit_resource_t) -> libc::rlimit {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a local of the type that the call fills.
    assert_eq!(unsafe { libc::getrlimit(resource, &raw mut limit) }, 0);
    limit
}

fn set_soft_limit(resource: libc::__rlimit_resource_t, soft: u64) {
    let limit = libc::rlimit { rlim_cur: soft, ..limit(resource) };
    // SAFETY: the pointer is to a local that the call only reads.
    assert_eq!(unsafe { libc::setrlimit(resource, &raw const limit) }, 0);
}

fn open_files() -> Vec<String> {
    let files = std::fs::read_dir("/proc/self/fd").unwrap();
    files.filter_map(|file| Some(std::fs::read_link(file.ok()?.path()).ok()?.to_string_lossy().into_owned())).collect()
}

async fn send(producer: &mut Producer, sequence_id: u64) {
    let message = OutgoingMessage { value: Some(b"v"), sequence_id, ..OutgoingMessage::default() };
    let sent = tokio::time::timeout(Duration::from_secs(20), producer.send(&message)).await;
    sent.expect("a receipt").unwrap();
}

/// If there was no file descriptor for a topic's segment, the topic once accepted no more messages until the next
/// start.
#[tokio::test(flavor = "multi_thread")]
async fn more_topics_than_descriptors_are_written_to() {
    let _turn = TURN.lock().await;
    let soft = limit(libc::RLIMIT_NOFILE).rlim_cur;
    set_soft_limit(libc::RLIMIT_NOFILE, 200);
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    let raised = limit(libc::RLIMIT_NOFILE);
    assert_eq!(raised.rlim_cur, raised.rlim_max, "a start raises the limit");

    let client = client(&broker);
    let mut producers = Vec::new();
    for i in 0..60 {
        let topic = TopicName::parse(&format!("t{i}")).unwrap();
        producers.push(client.producer(ProducerOptions::new(topic)).await.unwrap());
    }
    set_soft_limit(libc::RLIMIT_NOFILE, open_files().len() as u64 + 8);
    for id in 0..2 {
        for producer in &mut producers {
            send(producer, id).await;
        }
    }
    set_soft_limit(libc::RLIMIT_NOFILE, soft);
    drop((producers, client));
    broker.shutdown().await.unwrap();
}

/// The commit thread once kept the segment of a deleted topic open until the next start, so its disk space stayed used.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_topic_leaves_no_file_open() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    let client = client(&broker);
    let mut producer = client.producer(ProducerOptions::new(TopicName::parse("t").unwrap())).await.unwrap();
    send(&mut producer, 0).await;
    producer.close().await.unwrap();
    let segments = || open_files().into_iter().filter(|path| path.contains("/topics/")).collect::<Vec<_>>();
    assert_eq!(segments().len(), 1);
    let url = format!("http://{}/admin/v2/persistent/public/default/t", broker.http_addr().unwrap());
    assert_eq!(reqwest::Client::new().delete(url).send().await.unwrap().status().as_u16(), 204);
    let gone = async {
        while !segments().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the file is closed");
    drop(client);
    broker.shutdown().await.unwrap();
}

async fn create_topic(broker: &Broker, name: &str) -> u16 {
    let url = format!("http://{}/admin/v2/persistent/public/default/{name}", broker.http_addr().unwrap());
    reqwest::Client::new().put(url).send().await.unwrap().status().as_u16()
}

/// After one write that the disk refused, no metadata and no cursors were once stored until the next start.
#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_written_again_when_the_disk_accepts_writes_again() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let first = broker(folder.path()).await;
    assert_eq!(create_topic(&first, "before").await, 204);
    let soft = limit(libc::RLIMIT_FSIZE).rlim_cur;
    // SAFETY: ignoring a signal runs no code in it; a write beyond the limit then fails as on a full disk.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    set_soft_limit(libc::RLIMIT_FSIZE, 4_096);
    for _ in 0..2 {
        assert_eq!(create_topic(&first, "refused").await, 500);
    }
    set_soft_limit(libc::RLIMIT_FSIZE, soft);
    assert_eq!(create_topic(&first, "after").await, 204);
    first.shutdown().await.unwrap();

    let second = broker(folder.path()).await;
    assert_eq!([create_topic(&second, "before").await, create_topic(&second, "after").await], [409, 409]);
    second.shutdown().await.unwrap();
}
