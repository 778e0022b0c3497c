//! Topics: producers, deduplication, the way of a message into the log and out to subscriptions.
//!
//! A [`Topic`] joins the pure cores with its log. The session above calls it; it calls subscriptions and storage, and answers
//! clients through the [`crate::peer`] that each producer and consumer came over.

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

pub use dedup::{DedupTable, DeduplicationPolicy, StoredDedup};
pub use durable_end::StoredEnd;
pub use handle::{ConsumerHandle, Counter, ProducerHandle, Standing};
pub use load::Loaded;
pub use membership::Epochs;
pub use producers::{AccessMode, ProducerKey};
pub use publish::Publish;
pub use state::Topic;
pub use stored_cursor::StoredCursor;
pub use subscribe::{StartAt, SubscribeError, SubscribeRequest};
pub use subscription::{Durability, Subscription};
