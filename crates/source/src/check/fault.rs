//! What can be wrong with a position at a server.

const NEW_SNAPSHOT: &str = "Take a new snapshot (snapshot.mode = when_needed does it by itself), and keep the binlog \
                            longer (binlog_expire_logs_seconds)";

/// What is wrong with a position at a server. Each variant holds the sentence that describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PositionFault {
    /// The server no longer has the events after the position.
    Purged(String),
    /// The server's log is no longer the one in which the position was taken.
    OtherLog(String),
    /// Another server answers. It lacks transactions before the position and may still receive them.
    NotYet(String),
    /// Another server answers. It lacks transactions before the position and will not receive them, because it follows
    /// no server and is writable.
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
                was restored, so the changes since the position are unknown"
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
