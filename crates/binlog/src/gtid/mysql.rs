//! MySQL's GTID sets: for each (UUID, tag) disjoint ascending intervals of transaction numbers.

use crate::error::{Error, quote};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// UUID of a server or group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Uuid(pub [u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Uuid {
    type Err = Error;

    /// Accepts 32 hexadecimal digits, with or without hyphens, with or without braces, as the server does.
    #[expect(clippy::cast_possible_truncation, reason = "a hexadecimal digit is below 16")]
    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = |reason| Error::Gtid { text: quote(text.as_bytes()), what: "UUID", reason };
        let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
        let is_hyphenated = inner.len() == 36;
        let mut bytes = [0u8; 16];
        let mut digits = 0usize;
        for (index, c) in inner.chars().enumerate() {
            if is_hyphenated && matches!(index, 8 | 13 | 18 | 23) {
                if c != '-' {
                    return Err(fault("its hyphens stand in other places"));
                }
                continue;
            }
            let digit = c.to_digit(16).ok_or_else(|| fault("it holds other characters than hexadecimal digits"))?;
            let slot = bytes.get_mut(digits / 2).ok_or_else(|| fault("it has more than 32 digits"))?;
            *slot = *slot << 4 | digit as u8;
            digits += 1;
        }
        if digits == 32 { Ok(Self(bytes)) } else { Err(fault("it has less than 32 digits")) }
    }
}

/// Tag of a GTID (MySQL 8.3): empty, or up to 32 of `[a-z0-9_]`, not starting with a digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Tag(String);

impl Tag {
    /// Most characters of a tag.
    pub const MAX_CHARACTERS: usize = 32;

    /// Returns the characters; empty for the plain ids of a server.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the tag is empty, which means that the GTID has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Tag {
    type Err = Error;

    /// Letters are folded to lower case, as the server does.
    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = |reason| Error::Gtid { text: quote(text.as_bytes()), what: "GTID tag", reason };
        if text.len() > Self::MAX_CHARACTERS {
            return Err(fault("it has more than 32 characters"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(fault("it holds other characters than letters, digits and underscores"));
        }
        if text.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(fault("it starts with a digit"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// Transaction numbers from `first` to `last`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Interval {
    /// First number, at least 1.
    pub first: u64,
    /// Last number, at most `i64::MAX - 1`.
    pub last: u64,
}

/// The greatest transaction number.
pub(super) const GNO_MAX: u64 = i64::MAX as u64 - 1;

/// A GTID set of MySQL.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MysqlGtidSet {
    /// No key has an empty list; intervals ascend and neither overlap nor touch.
    sets: BTreeMap<(Uuid, Tag), Vec<Interval>>,
}

impl MysqlGtidSet {
    /// Returns whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Returns the number of ids in the set.
    pub fn count(&self) -> u64 {
        let intervals = self.sets.values().flatten();
        intervals.fold(0u64, |sum, interval| sum.saturating_add(interval.last - interval.first + 1))
    }

    /// Returns UUID, tag and intervals, in the order in which they print.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, &Tag, &[Interval])> + '_ {
        self.sets.iter().map(|((uuid, tag), intervals)| (*uuid, tag, intervals.as_slice()))
    }

    /// Adds one id. The number after the last one, which is the common case in a stream, costs one look-up.
    pub fn add(&mut self, uuid: Uuid, tag: &Tag, gno: u64) {
        self.add_interval(uuid, tag, Interval { first: gno, last: gno });
    }

    /// Adds a run of ids; numbers outside of 1 to `i64::MAX - 1` are not ids and are left out.
    pub fn add_interval(&mut self, uuid: Uuid, tag: &Tag, interval: Interval) {
        let added = Interval { first: interval.first.max(1), last: interval.last.min(GNO_MAX) };
        if added.first > added.last {
            return;
        }
        let intervals = self.sets.entry((uuid, tag.clone())).or_default();
        // Joins the new interval with all that it overlaps or touches.
        let from = intervals.partition_point(|one| one.last + 1 < added.first);
        let to = intervals.partition_point(|one| one.first <= added.last + 1);
        let touched = intervals.get(from..to).unwrap_or_default();
        let merged = Interval {
            first: touched.first().map_or(added.first, |one| one.first.min(added.first)),
            last: touched.last().map_or(added.last, |one| one.last.max(added.last)),
        };
        intervals.splice(from..to, [merged]);
    }

    /// Returns whether the id is in the set.
    pub fn contains(&self, uuid: Uuid, tag: &Tag, gno: u64) -> bool {
        let Some(intervals) = self.sets.get(&(uuid, tag.clone())) else { return false };
        let at = intervals.partition_point(|one| one.last < gno);
        intervals.get(at).is_some_and(|one| one.first <= gno)
    }

    /// Adds all of `other`.
    pub fn add_set(&mut self, other: &Self) {
        for (uuid, tag, intervals) in other.iter() {
            for interval in intervals {
                self.add_interval(uuid, tag, *interval);
            }
        }
    }

    /// Returns what is in `self` and not in `other`.
    pub fn subtract(&self, other: &Self) -> Self {
        let mut result = Self::default();
        for (key, intervals) in &self.sets {
            let holes = other.sets.get(key).map_or(&[][..], Vec::as_slice);
            let left = subtract_intervals(intervals, holes);
            if !left.is_empty() {
                result.sets.insert(key.clone(), left);
            }
        }
        result
    }

    /// Returns whether all of `self` is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.subtract(other).is_empty()
    }
}

fn subtract_intervals(intervals: &[Interval], holes: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::new();
    for interval in intervals {
        let mut first = interval.first;
        let from = holes.partition_point(|hole| hole.last < first);
        for hole in holes.iter().skip(from).take_while(|hole| hole.first <= interval.last) {
            if hole.first > first {
                left.push(Interval { first, last: hole.first - 1 });
            }
            first = hole.last + 1;
        }
        if first <= interval.last {
            left.push(Interval { first, last: interval.last });
        }
    }
    left
}

impl fmt::Display for MysqlGtidSet {
    /// Prints the set as `gtid_executed` has it, without its line breaks: a UUID is printed once, its tags follow its
    /// plain ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut previous = None;
        for (uuid, tag, intervals) in self.iter() {
            if previous != Some(uuid) {
                if previous.is_some() {
                    f.write_str(",")?;
                }
                uuid.fmt(f)?;
                previous = Some(uuid);
            }
            if !tag.is_empty() {
                write!(f, ":{}", tag.as_str())?;
            }
            for Interval { first, last } in intervals {
                if first == last {
                    write!(f, ":{first}")?;
                } else {
                    write!(f, ":{first}-{last}")?;
                }
            }
        }
        Ok(())
    }
}

impl FromStr for MysqlGtidSet {
    type Err = Error;

    /// As in the server, white space around the parts is allowed, and an interval that ends before it starts is empty.
    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = |part: &str, reason| Error::Gtid { text: quote(part.as_bytes()), what: "MySQL GTID set", reason };
        let mut set = Self::default();
        for group in text.split(',').map(str::trim).filter(|group| !group.is_empty()) {
            let mut parts = group.split(':').map(str::trim);
            let uuid: Uuid = parts.next().unwrap_or_default().parse()?;
            let mut tag = Tag::default();
            let mut has_interval = false;
            for part in parts {
                if part.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
                    let (first, last) =
                        part.split_once('-').map_or((part, part), |(first, last)| (first.trim(), last.trim()));
                    let number = |digits: &str| {
                        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                        let number = if is_number { digits.parse::<u64>().ok() } else { None };
                        number.filter(|number| *number <= GNO_MAX).ok_or_else(|| fault(part, "a number is expected"))
                    };
                    let (first, last) = (number(first)?, number(last)?);
                    if first == 0 {
                        return Err(fault(part, "numbers start at 1"));
                    }
                    set.add_interval(uuid, &tag, Interval { first, last });
                    has_interval = true;
                } else if part.is_empty() {
                    return Err(fault(group, "an interval is empty"));
                } else {
                    tag = part.parse()?;
                    has_interval = false;
                }
            }
            if !has_interval {
                return Err(fault(group, "an interval is missing"));
            }
        }
        Ok(set)
    }
}
