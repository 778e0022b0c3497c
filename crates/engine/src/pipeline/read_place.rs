//! Where the reader is in the log, and what tells this log from another one.

use std::cmp::Ordering;

use bitacora_binlog::event::{Body, Event};
use bitacora_binlog::{CHECKSUM_BYTES, ChecksumAlgorithm, EventHeader};
use bitacora_source::replication::{LogEnd, end_of_event};
use bitacora_source::{EventMark, Position};

use super::options::Heard;

/// Where an event stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site {
    pub header: EventHeader,
    /// Start in the file; for events inside a compressed transaction that of the envelope, as Debezium prints it.
    pub start: u64,
    /// Header and body, without checksum.
    pub bytes: u64,
}

/// The place behind the last event.
#[derive(Debug)]
pub(super) struct ReadPlace {
    /// The file being read.
    pub file: String,
    /// The end of the last event in it.
    pub offset: u64,
    /// When the file was created, seconds since 1970; `None` until its format description came.
    pub created: Option<u32>,
    /// The last event that can end a transaction.
    pub last_event: Option<EventMark>,
    /// The place that the last heartbeat named, if no event came after it.
    heartbeat: Option<LogEnd>,
    heartbeat_count: u64,
}

impl ReadPlace {
    /// Begins at a position.
    pub(super) fn at(position: &Position) -> Self {
        ReadPlace {
            file: position.file.clone(),
            offset: position.offset,
            created: None,
            last_event: None,
            heartbeat: None,
            heartbeat_count: 0,
        }
    }

    /// Notes what tells this log from another one. `raw` is the whole event, with the checksum behind it.
    pub(super) fn note_event(&mut self, event: &Event<'_>, raw: &[u8], checksum: ChecksumAlgorithm) {
        let header = event.header;
        match &event.body {
            Body::FormatDescription(_) => self.created = Some(header.timestamp),
            Body::Xid(_)
            | Body::Query(_)
            | Body::ExecuteLoadQuery(_)
            | Body::XaPrepare(_)
            | Body::TransactionPayload(_) => {
                let start = end_of_event(self.offset, header).saturating_sub(u64::from(header.event_bytes));
                self.last_event = Some(EventMark::of(raw, start, checksum_bytes(checksum)));
            }
            _ => {}
        }
    }

    /// Notes a heartbeat.
    pub(super) fn hear(&mut self, file: &[u8], offset: u64) {
        self.heartbeat = Some(LogEnd { file: String::from_utf8_lossy(file).into_owned(), offset });
        self.heartbeat_count += 1;
    }

    /// Passes an event of the file and returns where it stands.
    pub(super) fn pass(&mut self, header: EventHeader, checksum: ChecksumAlgorithm) -> Site {
        self.heartbeat = None;
        self.offset = end_of_event(self.offset, header);
        let bytes = u64::from(header.event_bytes);
        Site {
            header,
            start: self.offset.saturating_sub(bytes),
            bytes: bytes.saturating_sub(checksum_bytes(checksum) as u64),
        }
    }

    /// Goes on in another file.
    pub(super) fn enter(&mut self, file: &[u8], offset: u64) {
        let name = String::from_utf8_lossy(file);
        if self.file != name {
            self.file = name.into_owned();
        }
        self.offset = offset;
        self.created = None;
    }

    /// Goes back to the end of the last transaction.
    pub(super) fn return_to(&mut self, end: &Position) {
        self.file.clone_from(&end.file);
        self.offset = end.offset;
        self.created = None;
    }

    /// Returns how far the server says that it has sent its log. `end` is the end of the last transaction.
    pub(super) fn heard(&self, end: &Position) -> Heard {
        let event = LogEnd { file: self.file.clone(), offset: self.offset };
        let end = LogEnd { file: end.file.clone(), offset: end.offset };
        // By GTID a server begins to send before the position and skips what the set has.
        let is_behind = event.compare(&end) == Some(Ordering::Less);
        Heard {
            read: if is_behind { end } else { event },
            idle: self.heartbeat.clone(),
            heartbeat_count: self.heartbeat_count,
        }
    }
}

fn checksum_bytes(checksum: ChecksumAlgorithm) -> usize {
    if checksum == ChecksumAlgorithm::Crc32 { CHECKSUM_BYTES } else { 0 }
}

#[cfg(test)]
mod tests {
    use bitacora_binlog::EventType;

    use super::*;

    fn header(next_position: u32, event_bytes: u32) -> EventHeader {
        EventHeader { timestamp: 0, kind: EventType::XID, server_id: 1, event_bytes, next_position, flags: 0 }
    }

    #[test]
    fn positions_beyond_four_gibibytes_go_on() {
        assert_eq!(end_of_event(4, header(120, 116)), 120);
        assert_eq!(end_of_event((1 << 32) - 10, header(90, 100)), (1 << 32) + 90);
        assert_eq!(end_of_event((1 << 32) + 90, header(190, 100)), (1 << 32) + 190);
        assert_eq!(end_of_event(1_000, header(0, 50)), 1_050);
    }
}
