//! A durable Shared subscription on one topic for a handler, with retry, back-off and dead letters.
//!
//! - [`run_subscription_worker`] runs until it is asked to stop; [`WorkerOptions`] says what is consumed and how.
//! - [`Outcome`] is the handler's answer: done, try again, a service is away, never.
//! - [`RetryPolicy`] says how often and when a message is tried again.
//! - [`DeadLetterProperties`] names the properties that tell the reason and the origin of a dead letter.
//!
//! # How a message is tried again
//! The worker holds a message that could not be handled, unacknowledged, for a back-off that doubles. Pulsar's negative
//! acknowledgement has no delay of its own, and it brings back the whole entry, often a batch. Therefore the worker
//! negatively acknowledges a message that is an entry of its own when its time has come, so that any consumer of the
//! subscription may take it. It handles a message that shares its entry again itself, because the siblings are done
//! already. The same goes for every message while a service is away: another consumer would miss the same service.
//!
//! # How tries are counted
//! The worker counts the tries of the messages that it has seen. For a message that it sees for the first time, the
//! broker's redelivery count stands for the tries of other consumers. The embedded broker forgets these counts when
//! it restarts, Apache Pulsar when a topic moves to another broker, and the worker forgets its own when it ends. A
//! message may therefore be tried more often than the policy says, but it is never lost. Redeliveries after a lost
//! connection raise the broker's count as well, which is why the worker fetches little ahead.
//!
//! # Delivery
//! At least once: a message comes again after a crash, a lost connection or a lost acknowledgement, and its dead
//! letter may then be there twice, with the same original id. A handler must bear that.

mod core;
mod dead_letter;
mod options;
mod outcome;
mod retry;
mod task;

pub use dead_letter::DeadLetterProperties;
pub use options::WorkerOptions;
pub use outcome::Outcome;
pub use retry::RetryPolicy;
pub use task::run_subscription_worker;
