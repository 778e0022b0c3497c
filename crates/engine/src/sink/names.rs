//! The names of a source's producers.
//!
//! A name is `bitacora-SOURCE@EPOCH` for the stream and `bitacora-SOURCE@EPOCH-snapshot` for the snapshot. The epoch is
//! that of the source's base, as 16 hexadecimal digits: a broker keeps a last sequence id for each name, so ids of one
//! base are never compared with those of another. A checkpoint of the first format has no epoch; its names end before
//! the `@`.

use std::collections::HashMap;

use super::Lane;
use crate::checkpoint::Epoch;

/// The names of a source's producers, and the bases that the source has had.
#[derive(Debug, Clone)]
pub(crate) struct ProducerNames {
    source: String,
    epoch: Option<Epoch>,
    /// When each base of this data folder began, milliseconds since 1970.
    bases: HashMap<Epoch, u64>,
}

/// Who sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    /// This source, in this base or an earlier one.
    Source,
    /// An engine with the same source name and a base that this data folder does not know.
    Namesake,
    /// Anyone else.
    Stranger,
}

impl ProducerNames {
    /// Creates the names of a base of the source. `bases` holds all bases of its data folder, with the time at which
    /// each began.
    pub(crate) fn new(source: &str, epoch: Option<Epoch>, bases: HashMap<Epoch, u64>) -> ProducerNames {
        ProducerNames { source: source.to_owned(), epoch, bases }
    }

    /// Returns the source's name.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Returns the base's epoch; `None` for one of the first format.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// Returns the name of a lane's producers.
    pub(crate) fn of(&self, lane: Lane) -> String {
        self.of_epoch(self.epoch, lane)
    }

    /// Returns when the base began, milliseconds since 1970; `None` for one of the first format.
    pub(crate) fn began_ms(&self) -> Option<u64> {
        self.began_ms_of(self.epoch)
    }

    /// Returns when a base began, milliseconds since 1970; `None` for one that this data folder does not know.
    pub(crate) fn began_ms_of(&self, epoch: Option<Epoch>) -> Option<u64> {
        epoch.and_then(|epoch| self.bases.get(&epoch)).copied()
    }

    /// Returns who uses a producer's name.
    pub(crate) fn author(&self, producer: &str) -> Author {
        let lanes = [Lane::Stream, Lane::Snapshot];
        if lanes.iter().any(|lane| producer == self.of_epoch(None, *lane) || producer == self.of(*lane)) {
            return Author::Source;
        }
        let start = format!("bitacora-{}@", self.source);
        let digits = producer.strip_prefix(&start).map(|rest| rest.strip_suffix("-snapshot").unwrap_or(rest));
        match digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
            Some(number) if self.bases.contains_key(&Epoch::from_number(number)) => Author::Source,
            Some(_) => Author::Namesake,
            None => Author::Stranger,
        }
    }

    /// Returns the name of a lane's producers in a base.
    pub(crate) fn of_epoch(&self, epoch: Option<Epoch>, lane: Lane) -> String {
        let base = epoch.map(|epoch| format!("@{epoch}")).unwrap_or_default();
        let lane = if lane == Lane::Snapshot { "-snapshot" } else { "" };
        format!("bitacora-{}{base}{lane}", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_message_it_is() {
        let (present, former) = (Epoch::from_number(0xab), Epoch::from_number(1));
        let names = ProducerNames::new("s", Some(present), HashMap::from([(present, 5), (former, 3)]));
        assert_eq!(names.of(Lane::Stream), "bitacora-s@00000000000000ab");
        assert_eq!(names.of(Lane::Snapshot), "bitacora-s@00000000000000ab-snapshot");
        assert_eq!(names.began_ms(), Some(5));
        for (producer, author) in [
            ("bitacora-s@00000000000000ab", Author::Source),
            ("bitacora-s@0000000000000001-snapshot", Author::Source),
            ("bitacora-s", Author::Source),
            ("bitacora-s@0000000000000002", Author::Namesake),
            ("bitacora-s@0000000000000002-snapshot", Author::Namesake),
            ("bitacora-t@0000000000000002", Author::Stranger),
            ("standalone-0-1", Author::Stranger),
        ] {
            assert_eq!(names.author(producer), author, "{producer}");
        }
    }

    #[test]
    fn a_base_of_the_first_format_keeps_its_names() {
        let names = ProducerNames::new("s", None, HashMap::new());
        assert_eq!(names.of(Lane::Stream), "bitacora-s");
        assert_eq!(names.of(Lane::Snapshot), "bitacora-s-snapshot");
    }
}
