//! Positions in a server's log.

use std::fmt;

use bitacora_binlog::gtid::GtidSet;

use crate::LogMark;

/// The end of a transaction in the log: everything before it has been read, and nothing after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Binlog file; empty when only the GTIDs are known.
    pub file: String,
    /// Byte offset in the file.
    pub offset: u64,
    /// Executed GTIDs, if the server has GTIDs. They take precedence over file and offset.
    pub gtid: Option<GtidSet>,
}

impl Position {
    /// Creates a position from file and offset.
    pub fn at(file: impl Into<String>, offset: u64) -> Position {
        Position { file: file.into(), offset, gtid: None }
    }

    /// Creates a position from executed GTIDs.
    pub fn after(gtid: GtidSet) -> Position {
        Position { file: String::new(), offset: 0, gtid: Some(gtid) }
    }
}

/// A position with the identity of its log: the server that wrote it and a mark.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPlace {
    /// The position.
    pub position: Position,
    /// Mark of the log at the position, if known.
    pub log: Option<LogMark>,
    /// Identity of the server that wrote the log, if known.
    pub server: Option<String>,
}

impl From<Position> for LogPlace {
    fn from(position: Position) -> LogPlace {
        LogPlace { position, log: None, server: None }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.gtid, self.file.as_str()) {
            (Some(gtid), "") => write!(f, "GTID {gtid}"),
            (Some(gtid), file) => write!(f, "{file}:{} (GTID {gtid})", self.offset),
            (None, file) => write!(f, "{file}:{}", self.offset),
        }
    }
}
