//! Topics: producers, deduplication, and the path of a message into the log and out to subscriptions.
//!
//! A [`Topic`] connects the modules without input and output to its log. The session calls it; it calls subscriptions
//! and storage, and answers clients over the [`crate::peer`] of each producer and consumer.

mod admin;
mod dedup;
mod dispatch;
mod durable_end;
mod handle;
mod load;
mod membership;
mod producers;
mod publish;
mod receipt;
mod state;
mod stored_cursor;
mod subscribe;
mod subscription;
#[cfg(test)]
#[allow(clippy::panic, missing_docs)]
mod tests;

pub(crate) use dedup::{DedupTable, DeduplicationPolicy, StoredDedup};
pub(crate) use durable_end::StoredEnd;
pub(crate) use handle::{ConsumerHandle, Counter, ProducerHandle, Standing};
pub(crate) use load::Loaded;
pub(crate) use membership::Epochs;
pub(crate) use producers::AccessMode;
pub(crate) use publish::Publish;
pub(crate) use state::Topic;
pub(crate) use stored_cursor::StoredCursor;
pub(crate) use subscribe::{StartAt, SubscribeError, SubscribeRequest};
pub(crate) use subscription::{Durability, Subscription};
