//! The broker's two hot ways over a connection inside the process: batches appended until they are durable, and a
//! backlog dispatched to a consumer that acknowledges it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitacora_broker::{Broker, BrokerConfig};
use bitacora_pulsar::{Client, ClientConfig, ConsumerOptions, Endpoint, Producer, ProducerOptions};
use bitacora_pulsar_wire::proto::InitialPosition;
use bitacora_pulsar_wire::{BatchBuilder, Codec, OutgoingMessage, TopicName};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

const BATCH_MESSAGES: u64 = 100;
const VALUE: [u8; 1_024] = [b'x'; 1_024];
/// Messages that one measurement of the dispatch takes.
const BACKLOG: u64 = 2_000;

struct Place {
    client: Client,
    broker: Broker,
    _folder: tempfile::TempDir,
}

async fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let mut config = BrokerConfig::new(folder.path());
    (config.listen, config.http) = (None, None);
    let broker = Broker::start(config).await.unwrap();
    let connector = broker.local_connector();
    let endpoint = Endpoint::Local(Arc::new(move || Ok(connector.connect())));
    Place { client: Client::new(ClientConfig::new(endpoint)).unwrap(), broker, _folder: folder }
}

async fn producer(client: &Client, topic: &str) -> Producer {
    let mut options = ProducerOptions::new(TopicName::parse(topic).unwrap());
    options.codec = Codec::None;
    client.producer(options).await.unwrap()
}

async fn publish(producer: &mut Producer, batches: u64) {
    let mut builder = BatchBuilder::new();
    for _ in 0..batches {
        let first = producer.next_sequence_id();
        for sequence_id in first..first + BATCH_MESSAGES {
            let message = OutgoingMessage { value: Some(&VALUE), sequence_id, ..OutgoingMessage::default() };
            builder.append(&message).unwrap();
        }
        let batch = builder.finish(&producer.entry_header(1)).unwrap().unwrap();
        producer.send_batch(batch).await.unwrap();
        builder.clear();
    }
    producer.flush().await.unwrap();
}

fn append(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let place = runtime.block_on(place());
    let mut producer = runtime.block_on(producer(&place.client, "append"));
    let mut group = criterion.benchmark_group("append");
    group.sample_size(20).throughput(Throughput::Elements(BATCH_MESSAGES));
    group.bench_function("batch of 100 × 1 KiB, durable", |bencher| {
        bencher.iter(|| runtime.block_on(publish(&mut producer, 1)));
    });
    group.finish();
    drop(producer);
    runtime.block_on(end(place));
}

fn dispatch(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let place = runtime.block_on(place());
    runtime.block_on(async { publish(&mut producer(&place.client, "backlog").await, BACKLOG / BATCH_MESSAGES).await });
    let mut group = criterion.benchmark_group("dispatch");
    group.sample_size(20).throughput(Throughput::Elements(BACKLOG));
    let mut number = 0;
    group.bench_function("backlog of 2,000 × 1 KiB", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut taken = Duration::ZERO;
            for _ in 0..rounds {
                number += 1;
                taken += runtime.block_on(consume(&place.client, &format!("s{number}")));
            }
            taken
        });
    });
    group.finish();
    runtime.block_on(end(place));
}

/// Receives and acknowledges the backlog under a subscription of its own; returns the time from the first message on.
async fn consume(client: &Client, subscription: &str) -> Duration {
    let mut options = ConsumerOptions::new(TopicName::parse("backlog").unwrap(), subscription);
    options.initial_position = InitialPosition::Earliest;
    let mut consumer = client.consumer(options).await.unwrap();
    let start = Instant::now();
    for _ in 0..BACKLOG {
        let message = consumer.receive().await.unwrap();
        consumer.acknowledge(message.id).await.unwrap();
    }
    start.elapsed()
}

async fn end(place: Place) {
    let Place { client, broker, _folder } = place;
    drop(client);
    broker.shutdown().await.unwrap();
}

criterion_group!(benches, append, dispatch);
criterion_main!(benches);
