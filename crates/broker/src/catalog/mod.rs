//! Tenants, namespaces with their policies, partitioned topics and topics.
//!
//! Whatever a request creates is durable before the request is answered. Topics are opened at their first use and stay
//! open. Unlike in a Pulsar cluster, idle topics are never deleted, and entries are kept even without a subscription:
//! an outbox's topic must not vanish because nobody listens yet.

mod flush;
mod namespace;
mod open;
mod partitions;
mod policies;
mod repair;
mod schemas;
mod state;
mod stored_topic;
mod topics;

pub(crate) use policies::{NamespacePolicies, Tenant};
pub use repair::repair;
pub(crate) use state::Catalog;
pub(crate) use topics::Missing;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
mod tests;
