//! Measures publishing over an in-process connection and the time from publish to delivery.
//!
//! Arguments: data directory, messages, bytes of each, messages of a batch.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use bitacora_broker::{Broker, BrokerConfig};
use bitacora_pulsar::{Client, ClientConfig, ConsumerOptions, Endpoint, ProducerOptions};
use bitacora_pulsar_wire::{BatchBuilder, Codec, OutgoingMessage, TopicName};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut config = BrokerConfig::new(arguments.next().ok_or("first argument: the data directory")?);
    (config.listen, config.http) = (None, None);
    let count: u64 = arguments.next().as_deref().unwrap_or("1000000").parse()?;
    let value = vec![b'x'; arguments.next().as_deref().unwrap_or("1024").parse()?];
    let batch_size: u64 = arguments.next().as_deref().unwrap_or("128").parse()?;
    let broker = Broker::start(config).await?;
    let connector = broker.local_connector();
    let client = Client::new(ClientConfig::new(Endpoint::Local(std::sync::Arc::new(move || Ok(connector.connect())))))?;
    let options = ProducerOptions {
        name: Some("load".to_owned()),
        codec: Codec::None,
        ..ProducerOptions::new(TopicName::parse("load")?)
    };
    let mut producer = client.producer(options.clone()).await?;
    let first = producer.next_sequence_id();
    let started = Instant::now();
    let mut builder = BatchBuilder::new();
    for id in first..first + count {
        let message = OutgoingMessage { value: Some(&value), sequence_id: id, ..OutgoingMessage::default() };
        builder.append(&message)?;
        if u64::from(builder.message_count()) >= batch_size || id + 1 == first + count {
            if let Some(batch) = builder.finish(&producer.entry_header(1))? {
                producer.send_batch(batch).await?;
            }
            builder.clear();
        }
    }
    producer.flush().await?;
    let taken = started.elapsed();
    println!(
        "{count} messages of {} bytes durable in {taken:?}: {:.0}/s",
        value.len(),
        count as f64 / taken.as_secs_f64()
    );

    let topic = TopicName::parse("latency")?;
    let mut producer = client.producer(ProducerOptions { topic: topic.clone(), ..options }).await?;
    let mut consumer = client.consumer(ConsumerOptions::new(topic, "s")).await?;
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..500 {
        let sequence_id = producer.next_sequence_id();
        let sent = Instant::now();
        producer.send(&OutgoingMessage { value: Some(&value), sequence_id, ..OutgoingMessage::default() }).await?;
        let message = consumer.receive().await?;
        times.push(sent.elapsed());
        consumer.acknowledge(message.id).await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    println!("publish to consumer: p50 {:?}, p99 {:?}", at(50), at(99));
    drop((producer, consumer, client));
    broker.shutdown().await?;
    Ok(())
}
