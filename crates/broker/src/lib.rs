//! The embedded broker: segment log, topics, cursors, dispatch, schemas, deduplication, REST.

mod broker;
mod catalog;
mod config;
mod error;
mod net;
mod rest;
pub mod schema;
pub mod session;
pub mod storage;
pub mod subscription;
pub mod topic;

pub use broker::{Broker, LocalConnector};
pub use config::{BrokerConfig, Deduplication};
pub use error::BrokerError;
