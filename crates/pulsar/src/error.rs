//! What can go wrong between a client and a broker.

use std::sync::Arc;

use bitacora_pulsar_wire::{MessageId, ServerError};
use bytes::Bytes;
use thiserror::Error;

/// A failed call of the client.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum Error {
    /// The service URL cannot be used.
    #[error("{url:?} is not a Pulsar service URL: {reason}; write pulsar://host:6650 or pulsar+ssl://host:6651")]
    ServiceUrl {
        /// The text.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No connection to the broker.
    #[error("no connection to the broker at {address}; check that it runs and that the address can be reached")]
    Connect {
        /// Host and port.
        address: String,
        /// The system's error.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {reason}; check the CA file and the host name of the service URL")]
    Tls {
        /// What failed.
        reason: String,
    },
    /// Credentials cannot be read.
    #[error("the token file {path} cannot be read; check its path and permissions")]
    Credentials {
        /// The file.
        path: String,
        /// The system's error.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The connection ended while an answer was awaited.
    #[error("the connection to the broker was lost; the client connects again by itself, repeat the call")]
    Disconnected,
    /// The broker did not answer in time.
    #[error("the broker did not answer {what} within {timeout_ms} ms; check its load, or raise the operation timeout")]
    Timeout {
        /// The request.
        what: &'static str,
        /// The configured timeout.
        timeout_ms: u64,
    },
    /// The broker refused.
    #[error("the broker refused {what}: {error:?}: {message}")]
    Server {
        /// The request.
        what: &'static str,
        /// The class.
        error: ServerError,
        /// The broker's own words.
        message: String,
    },
    /// The broker answered something that the protocol does not allow there.
    #[error("the broker broke the protocol: {reason}; check its version")]
    Protocol {
        /// What was wrong.
        reason: &'static str,
    },
    /// Bytes that cannot be read or written.
    #[error("bytes of the Pulsar protocol are wrong")]
    Wire(#[source] Arc<bitacora_pulsar_wire::Error>),
    /// A batch above the broker's limit.
    #[error(
        "a batch of {bytes} bytes is above the broker's maximum message size of {limit_bytes}; send smaller batches \
        or raise maxMessageSize"
    )]
    TooLarge {
        /// Size of the entry.
        bytes: usize,
        /// The broker's limit.
        limit_bytes: usize,
    },
    /// A topic lacks messages that the broker has confirmed: it was truncated, restored, or deleted and created again.
    #[error(
        "topic {topic} ends with {last}, before {confirmed}, which it has confirmed; its messages were deleted, or an \
         older copy of the broker's data was put back"
    )]
    TopicBehind {
        /// The topic.
        topic: String,
        /// What it ends with, as `sequence id 7` or `message 12:3:-1`.
        last: String,
        /// What it has confirmed, in the same form.
        confirmed: String,
    },
    /// Sequence ids that do not increase.
    #[error(
        "sequence id {sequence_id} is not above {last_sequence_id}, the last one sent; the broker would drop the \
        message as a duplicate"
    )]
    SequenceOrder {
        /// The offered id.
        sequence_id: u64,
        /// The id before it.
        last_sequence_id: i64,
    },
    /// A delivered entry of which no message can be read. It stays in the backlog until its id is acknowledged.
    #[error("message {id} cannot be read: {reason}; acknowledge it to go on without it")]
    Unreadable {
        /// Whole entry, or the last chunk of a message.
        id: MessageId,
        /// What is wrong.
        reason: Box<str>,
        /// The entry as it was delivered; empty for a message in chunks. Boxed, like the reason, to keep the error type
        /// small.
        entry: Box<Bytes>,
        /// How often it was delivered before.
        redelivery_count: u32,
    },
    /// A subscription worker ended: the broker refused its subscription, and no retry can change that.
    #[error("the subscription {subscription:?} on {topic} cannot be used")]
    Subscription {
        /// The topic.
        topic: String,
        /// The subscription.
        subscription: String,
        /// The broker's reason.
        #[source]
        source: Box<Error>,
    },
    /// The object was closed.
    #[error("the {what} is closed; open it again")]
    Closed {
        /// Producer or consumer.
        what: &'static str,
    },
    /// The admin REST failed.
    #[error("the admin REST at {url} failed: {reason}")]
    Admin {
        /// The request's URL.
        url: String,
        /// HTTP status, when there was an answer.
        status: Option<u16>,
        /// The server's reason or the transport's error.
        reason: String,
    },
}

impl Error {
    pub(crate) fn unexpected_answer() -> Self {
        Self::Protocol { reason: "an answer is not of the kind that was asked for" }
    }

    /// Returns whether the same call may succeed later although nobody changes anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Disconnected | Self::Timeout { .. } => true,
            Self::Server { error, message, .. } => !is_terminal(*error) || is_of_namespace(*error, message),
            _ => false,
        }
    }

    /// Returns the broker's error class, if the broker answered one.
    pub fn server_error(&self) -> Option<ServerError> {
        match self {
            Self::Server { error, .. } => Some(*error),
            _ => None,
        }
    }

    pub(crate) fn server(what: &'static str, error: i32, message: String) -> Self {
        Self::Server { what, error: ServerError::try_from(error).unwrap_or(ServerError::UnknownError), message }
    }
}

impl From<bitacora_pulsar_wire::Error> for Error {
    fn from(error: bitacora_pulsar_wire::Error) -> Self {
        Self::Wire(Arc::new(error))
    }
}

/// Returns whether the broker does not know the topic's namespace, for which Pulsar has the code of a topic and words
/// of its own. A Pulsar that starts for the first time answers so until it has made its namespaces.
fn is_of_namespace(error: ServerError, message: &str) -> bool {
    error == ServerError::TopicNotFound && message.contains("Namespace not found")
}

/// Classes that no retry can change.
fn is_terminal(error: ServerError) -> bool {
    use ServerError::*;
    matches!(
        error,
        AuthenticationError
            | AuthorizationError
            | UnsupportedVersionError
            | TopicNotFound
            | SubscriptionNotFound
            | TopicTerminatedError
            | InvalidTopicName
            | IncompatibleSchema
            | ConsumerAssignError
            | NotAllowedError
            | ProducerFenced
    )
}
