//! What a caller does about an error.

/// What a caller does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The cause is likely to pass: connect again after a pause.
    Retry,
    /// Going on would lose or repeat data: stop, and let a person decide.
    Stop,
    /// Every attempt fails until configuration, account or server settings change.
    FixConfiguration,
}
