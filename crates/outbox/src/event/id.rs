//! Event ids: UUIDs that sort by the time of their making, so that inserts stay at the right edge of the primary key.
//!
//! Format: RFC 9562, version 7: 48 bits of milliseconds since the epoch, then a counter and random bits. Written in
//! lower case with hyphens, text sorts as the ids do.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::Error;

/// The id of an event, the same at every delivery of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Uuid);

impl EventId {
    /// Makes a new id. Ids of one process rise strictly, also within a millisecond; ids of several rise as their clocks
    /// do.
    pub fn generate() -> EventId {
        EventId(Uuid::now_v7())
    }

    /// Takes an id from elsewhere, of any version: 16 bytes, most significant first.
    pub const fn from_bytes(bytes: [u8; 16]) -> EventId {
        EventId(Uuid::from_bytes(bytes))
    }

    /// Returns the 16 bytes, most significant first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// Returns the lowest id of version 7 of a moment: every id that [`EventId::generate`] made before is lower.
    /// Moments before 1970 count as 1970.
    pub fn lowest_at(moment: SystemTime) -> EventId {
        let millis = moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let time = millis.min((1 << 48) - 1) << 80;
        EventId(Uuid::from_u128(time | 0x7 << 76 | 0b10 << 62))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(to)
    }
}

impl FromStr for EventId {
    type Err = Error;

    /// Reads a UUID of any version in any of its usual forms.
    fn from_str(text: &str) -> Result<EventId, Error> {
        Uuid::try_parse(text).map(EventId).map_err(|_| Error::EventId { text: text.to_owned() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ids_rise_as_bytes_and_as_text_also_across_threads() {
        let ids: Vec<EventId> = (0..20_000).map(|_| EventId::generate()).collect();
        assert!(ids.is_sorted_by(|left, right| left < right));
        let texts: Vec<String> = ids.iter().map(EventId::to_string).collect();
        assert!(texts.is_sorted_by(|left, right| left < right));
        let last = *ids.last().unwrap();
        assert!(std::thread::spawn(EventId::generate).join().unwrap() > last);
    }

    #[test]
    fn the_lowest_of_a_moment_separates_before_and_after() {
        let before = EventId::generate();
        let middle = EventId::lowest_at(SystemTime::now() + Duration::from_millis(1));
        let end = SystemTime::now() + Duration::from_millis(2);
        while SystemTime::now() < end {}
        assert!(before < middle && middle < EventId::generate());
        assert_eq!(
            EventId::lowest_at(UNIX_EPOCH + Duration::from_millis(0x0190_163d_8694)).to_string(),
            "0190163d-8694-7000-8000-000000000000"
        );
        assert_eq!(EventId::lowest_at(UNIX_EPOCH - Duration::from_secs(1)), EventId::lowest_at(UNIX_EPOCH));
    }

    #[test]
    fn text_and_bytes_come_back() {
        let id = EventId::generate();
        assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
        assert_eq!(EventId::from_bytes(id.to_bytes()), id);
        assert!("0190163d".parse::<EventId>().unwrap_err().to_string().contains("\"0190163d\" is no event id"));
    }
}
