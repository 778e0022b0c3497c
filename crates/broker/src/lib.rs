//! The embedded broker: segment log, topics, cursors, dispatch, schemas, deduplication, REST.
//!
//! The path of a message: `session` takes a SEND from a socket or an in-process connection; `topic` checks,
//! deduplicates and appends it; `storage` writes and syncs it together with other waiting entries. Then the receipt is
//! sent, and the dispatch task of each `subscription` sends the stored bytes, unchanged, to its consumers. `schema`
//! checks the schemas that producers and consumers name.
//!
//! `broker` has the life cycle, `net` and `rest` the listeners, `catalog` the tenants, namespaces and topics. `peer`,
//! the connected client, is below sessions and topics. A lower module never uses a higher one (`tools/circles.py`,
//! docs/decisions/0013).

mod broker;
mod catalog;
mod clock;
mod config;
mod descriptors;
mod error;
mod meter;
mod net;
mod peer;
mod refused;
mod rest;
mod schema;
mod session;
mod shared;
mod storage;
mod subscription;
mod topic;

pub use broker::{Broker, LocalConnector};
pub use catalog::repair;
pub use config::{BrokerConfig, Deduplication, Reach};
pub use error::BrokerError;
pub use rest::metrics_page;
pub use schema::Strategy;
pub use storage::{StorageError, back_up};
pub use subscription::Limits;
