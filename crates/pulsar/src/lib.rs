//! Client of a Pulsar broker: producer with explicit sequence ids, consumer, reader, admin.
//!
//! [`Client`] holds the connections. [`Producer`] never invents sequence ids: the caller's own make delivery exactly
//! once, together with the broker's deduplication. [`Consumer`] and [`Reader`] read entries message by message.
//! [`run_subscription_worker`] gives the messages of a subscription to a handler, with retry and dead letters.
//! [`Admin`] speaks the REST API. The same code runs over a socket and over the channels of a broker in this process.

#![warn(unreachable_pub)]

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
