//! What went wrong, and what the engine does about it.

use bitacora_source::check::CheckName;

/// What the engine does about an error. It follows from the error's [`ErrorKind`], never from a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The cause passes by itself (a connection was cut): connect again with back-off.
    Retry,
    /// Somebody has to allow it elsewhere: the stream asks again until it is allowed. A snapshot stops, because it
    /// would hold its transaction open meanwhile.
    Wait,
    /// A topic lacks what it had confirmed: the source begins again at its checkpoint, which finds out what to send
    /// again.
    BeginAgain,
    /// Going on would lose or invent data: the source stops.
    Stop,
    /// The configuration or the server's settings must be changed first.
    FixConfiguration,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server does not answer, or refuses for a cause that passes.
    ServerAway,
    /// The address leads to a server that lacks what lies before the position, such as a replica that lags.
    ServerElsewhere,
    /// The server refuses until its settings, the account or the configuration change.
    ServerRefuses,
    /// The server's log or a value of it cannot be used.
    ServerData,
    /// A check before the start failed.
    Check(CheckName),
    /// The address leads to a different server each time.
    ServerChanges,
    /// An option, or what it asks for, cannot be used.
    Configuration,
    /// The checkpoint store cannot be read or written.
    Store,
    /// What the checkpoint store holds is not understood.
    StoredState,
    /// The log holds something that cannot be turned into events, or lacks something.
    Log,
    /// The log does not name the columns of a table, and it is not proven which description holds.
    Undescribed,
    /// A row has no message, or one that cannot be sent.
    Row,
    /// The broker does not answer, or refuses for a cause that passes.
    BrokerAway,
    /// The broker refuses.
    BrokerRefuses,
    /// The topic's namespace does not allow the table's new schema.
    SchemaRefused,
    /// Another producer has taken a topic over.
    Fenced,
    /// A topic lacks what it had confirmed while the source ran.
    TopicBehind,
    /// Topics lack messages that cannot be sent again.
    MessagesLost,
    /// The system has no thread to give.
    System,
    /// A fault of this program.
    Fault,
}

impl ErrorKind {
    /// Returns what the engine does about an error of this kind.
    pub fn class(self) -> ErrorClass {
        match self {
            // The server may be starting.
            Self::ServerAway
            | Self::ServerElsewhere
            | Self::BrokerAway
            | Self::Check(CheckName::Reachable | CheckName::Connection) => ErrorClass::Retry,
            Self::SchemaRefused => ErrorClass::Wait,
            Self::TopicBehind => ErrorClass::BeginAgain,
            Self::ServerData
            | Self::StoredState
            | Self::Log
            | Self::Undescribed
            | Self::Row
            | Self::BrokerRefuses
            | Self::Fenced
            | Self::MessagesLost
            | Self::System
            | Self::Fault => ErrorClass::Stop,
            Self::ServerRefuses | Self::Check(_) | Self::ServerChanges | Self::Configuration | Self::Store => {
                ErrorClass::FixConfiguration
            }
        }
    }
}
