//! How this process appears to the server as a replica.

/// How this process appears to the server as a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaOptions {
    /// Replica id; no other server or replica of the source may use it.
    pub server_id: u32,
    /// Identity across restarts (a UUID). The server ends an older connection with the same identity, and the check for
    /// a server id in use recognizes this process by it.
    pub replica_uuid: String,
    /// Longest silence of the server before it must send a heartbeat.
    pub heartbeat_ms: u64,
    /// Silence after which the connection counts as dead; several heartbeats, so that one late heartbeat is harmless.
    pub silence_ms: u64,
    /// What the server does at the end of its log.
    pub waiting: Waiting,
    /// Whether MariaDB sends the statements that caused row events. MySQL always sends them if it logs them.
    pub annotate_rows: AnnotateRows,
}

/// What the server does at the end of its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waiting {
    /// Wait for more events.
    #[default]
    ForEvents,
    /// End the stream.
    Never,
}

/// Whether MariaDB sends annotate events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnnotateRows {
    /// The server sends them. The positions of events that do not name their own can be computed only with them.
    #[default]
    Send,
    /// The server leaves them out.
    Omit,
}

impl ReplicaOptions {
    /// Creates options with a heartbeat of 10 s, a limit of 35 s for silence, and a random identity.
    pub fn new(server_id: u32) -> ReplicaOptions {
        ReplicaOptions {
            server_id,
            replica_uuid: uuid::Uuid::new_v4().to_string(),
            heartbeat_ms: 10_000,
            silence_ms: 35_000,
            waiting: Waiting::default(),
            annotate_rows: AnnotateRows::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_uuids_of_version_4() {
        let uuid = ReplicaOptions::new(1).replica_uuid;
        let parts: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
        assert_eq!(uuid.as_bytes().get(14), Some(&b'4'), "{uuid}");
        assert_ne!(uuid, ReplicaOptions::new(1).replica_uuid);
    }
}
