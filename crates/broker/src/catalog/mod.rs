//! What exists: tenants, namespaces with their policies, partitioned topics, topics.
//!
//! Everything here is durable before a request that created it is answered. Topics are opened on first use and stay
//! open. Unlike in a Pulsar cluster, an idle topic is never deleted and entries are kept without a subscription: an
//! outbox's destination must not vanish because nobody listens yet.

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
