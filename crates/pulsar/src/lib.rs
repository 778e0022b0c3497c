//! Client of a Pulsar broker: producer with explicit sequence ids, consumer, reader, admin.
//!
//! [`Client`] holds the connections. [`Producer`] never invents sequence ids: those of the caller and the broker's
//! deduplication together deliver each message exactly once. [`Consumer`] and [`Reader`] read entries message by
//! message. [`run_subscription_worker`] passes the messages of a subscription to a handler, with retry and dead
//! letters. [`Admin`] speaks the REST API. The same code runs over a socket and over the channels of a broker in this
//! process.
//!
//! # Example
//! ```no_run
//! use bitacora_pulsar::wire::{OutgoingMessage, TopicName};
//! use bitacora_pulsar::{Client, ClientConfig, ConsumerOptions, Error, ProducerOptions};
//!
//! # async fn run() -> Result<(), Error> {
//! let client = Client::new(ClientConfig::url("pulsar://127.0.0.1:6650"))?;
//! let orders = TopicName::parse("orders")?;
//! let mut consumer = client.consumer(ConsumerOptions::new(orders.clone(), "shipping")).await?;
//!
//! let mut producer = client.producer(ProducerOptions::new(orders)).await?;
//! let sequence_id = producer.next_sequence_id();
//! producer.send(&OutgoingMessage { value: Some(b"order 7"), sequence_id, ..Default::default() }).await?;
//!
//! let message = consumer.receive().await?;
//! consumer.acknowledge(message.id).await?;
//! # Ok(())
//! # }
//! ```

mod admin;
mod backoff;
mod client;
mod cluster;
mod config;
mod connection;
mod consumer;
mod error;
mod producer;
mod routing;
mod service_url;
mod subscription_worker;

pub use admin::{Admin, AdminSchema};
pub use client::{AutoCreation, Client, TopicSchema};
pub use config::{Auth, ClientConfig, Endpoint, LocalConnection, LocalFactory};
pub use consumer::{
    ActiveState, BatchIndexAck, ChunkLimits, ChunkView, Consumer, ConsumerOptions, KeySharedPolicy, LastMessage,
    Message, ReadCompacted, Reader, ReaderOptions, Seek, StartPosition,
};
pub use error::Error;
pub use producer::{
    BatchLimits, Batcher, Chunking, Opened, PendingBudget, Producer, ProducerOptions, Progress, SendReceipt,
};
pub use routing::partition_of_key;
pub use subscription_worker::{DeadLetterProperties, Outcome, RetryPolicy, WorkerOptions, run_subscription_worker};

pub use bitacora_pulsar_wire as wire;
