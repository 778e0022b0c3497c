//! The handler's answer.

/// What became of a message. Reasons are one sentence; they are logged and stand on a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, or was done before: it is acknowledged.
    Done,
    /// It failed this time. It is tried again after a back-off; after [`crate::RetryPolicy::tries`] tries it is a
    /// dead letter.
    Retry(String),
    /// A service that the handler needs is away, which says nothing about the message. It is tried again for as long
    /// as it takes, and this does not count as a try.
    Unavailable(String),
    /// It can never be done: it is a dead letter at once.
    Rejected(String),
}
