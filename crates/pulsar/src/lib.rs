//! Client of a Pulsar broker: producer with explicit sequence ids, consumer, reader, admin.
//!
//! [`Client`] holds the connections. [`Producer`] never invents sequence ids: the caller's own make delivery exactly
//! once, together with the broker's deduplication. [`Consumer`] and [`Reader`] read entries message by message.
//! [`Admin`] speaks the REST API. The same code runs over a socket and over the channels of a broker in this process.

mod admin;
mod backoff;
mod client;
mod config;
mod connection;
mod consumer;
mod error;
mod producer;
mod routing;
mod service_url;

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

pub use bitacora_pulsar_wire as wire;
