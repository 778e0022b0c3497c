//! What ends a consumption.

use bitacora_pulsar::wire;
use thiserror::Error;

/// Why nothing can be consumed, or a record cannot be read at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The topic's name is none.
    #[error("{topic:?} is not the name of a topic; write persistent://public/default/name")]
    Topic {
        /// The text.
        topic: String,
        /// What is wrong with it.
        #[source]
        source: wire::Error,
    },
    /// The broker refused the subscription, and no retry can change that.
    #[error("the subscription {subscription:?} on {topic} cannot be used")]
    Subscription {
        /// The topic.
        topic: String,
        /// The subscription.
        subscription: String,
        /// The broker's reason.
        #[source]
        source: Box<bitacora_pulsar::Error>,
    },
    /// A schema of the contract is none.
    #[error(transparent)]
    Contract(#[from] aeroalpes_contrato::Error),
}
