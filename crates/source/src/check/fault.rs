//! What can be wrong with a position at a server.

const NEW_SNAPSHOT: &str = "Take a new snapshot (snapshot.mode = when_needed does it by itself), and keep the binlog \
                            longer (binlog_expire_logs_seconds)";

/// What is wrong with a position at a server; each with the sentence that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PositionFault {
    /// The server no longer has what lies behind the position.
    Purged(String),
    /// The log of that server is no longer the one that the position was taken in.
    OtherLog(String),
    /// Another server than the one that wrote the log lacks what lies before the position, and may still get it.
    NotYet(String),
    /// Another server lacks what lies before the position, follows no server and is writable.
    Never(String),
}

impl PositionFault {
    /// Returns what happened, as a sentence without its final stop.
    pub fn what(&self) -> &str {
        match self {
            Self::Purged(what) | Self::OtherLog(what) | Self::NotYet(what) | Self::Never(what) => what,
        }
    }

    /// Returns what the operator can do, as a sentence without its final stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Purged(_) => NEW_SNAPSHOT,
            Self::OtherLog(_) => {
                "Take a new snapshot (snapshot.mode = when_needed does it by itself): the log was reset, or the server \
                restored, so the changes since the position are unknown"
            }
            Self::NotYet(_) => {
                "Wait until the replica has caught up, or let the address lead to the former server again; remove \
                nothing"
            }
            Self::Never(_) => {
                "Let the address lead to the former server, or to one that has these transactions; take a new snapshot \
                only where the former server is lost for good"
            }
        }
    }
}
