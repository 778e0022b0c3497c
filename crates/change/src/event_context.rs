//! Where an event comes from: its place in the log or in a snapshot, and its times.

/// Which row of a snapshot this is, in the words of `source.snapshot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SnapshotMark {
    /// None: the row was streamed.
    False,
    /// One in the middle.
    True,
    /// The first of all.
    First,
    /// The first of its table.
    FirstInDataCollection,
    /// The last of its table.
    LastInDataCollection,
    /// The last of all.
    Last,
}

/// Where an event comes from; the row itself is not in it.
#[derive(Debug, Clone, Copy)]
pub struct EventContext<'a> {
    /// Binlog file.
    pub file: &'a str,
    /// Start of the event in the file.
    pub position: u64,
    /// Number of the row in its event.
    pub row: u32,
    /// Server that wrote the event; 0 in a snapshot.
    pub server_id: u32,
    /// GTID of the transaction.
    pub gtid: Option<&'a str>,
    /// Session that wrote it.
    pub thread: Option<u64>,
    /// The statement.
    pub query: Option<&'a str>,
    /// When it was committed, microseconds since 1970.
    pub source_timestamp_us: i64,
    /// When the row is encoded, microseconds since 1970.
    pub now_us: i64,
    /// Place in a snapshot.
    pub snapshot: SnapshotMark,
}
