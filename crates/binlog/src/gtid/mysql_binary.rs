//! The binary form of a GTID set, in PREVIOUS_GTIDS and in COM_BINLOG_DUMP_GTID.
//!
//! Untagged: count u64, then for each UUID 16 bytes, interval count u64, and for each interval the first number and the
//! one after the last (u64 both). Tagged (MySQL 8.3, used as soon as one tag is there): the count is `1 | count << 8 |
//! 1 << 56`, and behind each UUID stands the tag: its length in the serialisation library's variable form, then its
//! bytes. Source: `Gtid_set::encode` of MySQL.

use super::{Interval, MysqlGtidSet, Tag, Uuid, mysql::GNO_MAX};
use crate::{cursor::Cursor, error::Error};

const WHAT: &str = "a binary GTID set";

impl MysqlGtidSet {
    /// Appends the binary form.
    #[expect(clippy::cast_possible_truncation, reason = "a tag has at most 32 characters")]
    pub fn encode(&self, out: &mut Vec<u8>) {
        let is_tagged = self.iter().any(|(_, tag, _)| !tag.is_empty());
        let count = self.iter().count() as u64;
        let head = if is_tagged { 1 | (count & 0xffff_ffff_ffff) << 8 | 1 << 56 } else { count };
        out.extend_from_slice(&head.to_le_bytes());
        for (uuid, tag, intervals) in self.iter() {
            out.extend_from_slice(&uuid.0);
            if is_tagged {
                // At most 32: one byte of the variable form.
                out.push((tag.as_str().len() as u8) << 1);
                out.extend_from_slice(tag.as_str().as_bytes());
            }
            out.extend_from_slice(&(intervals.len() as u64).to_le_bytes());
            for Interval { first, last } in intervals {
                out.extend_from_slice(&first.to_le_bytes());
                out.extend_from_slice(&(last + 1).to_le_bytes());
            }
        }
    }

    /// Reads the binary form; all bytes must belong to it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes);
        let head = cursor.u64(WHAT)?;
        let (is_tagged, count) = match head.to_le_bytes() {
            [1, a, b, c, d, e, f, 1] => (true, u64::from_le_bytes([a, b, c, d, e, f, 0, 0])),
            [.., 0] => (false, head),
            _ => return Err(Error::Invalid { what: "the form of a binary GTID set", value: head }),
        };
        let mut set = Self::default();
        for _ in 0..count {
            let uuid = Uuid(cursor.array(WHAT)?);
            let mut tag = Tag::default();
            if is_tagged {
                let length = cursor.varlen(WHAT)?;
                let text = cursor.take(usize::try_from(length).unwrap_or(usize::MAX), WHAT)?;
                tag = std::str::from_utf8(text).map_err(|_| Error::Utf8 { what: "a GTID tag" })?.parse()?;
            }
            let intervals = cursor.u64(WHAT)?;
            for _ in 0..intervals {
                let first = cursor.u64(WHAT)?;
                let end = cursor.u64(WHAT)?;
                if first == 0 || end <= first || end - 1 > GNO_MAX {
                    return Err(Error::Invalid { what: "an interval of a binary GTID set", value: end });
                }
                set.add_interval(uuid, &tag, Interval { first, last: end - 1 });
            }
        }
        if !cursor.is_empty() {
            return Err(Error::Trailing { what: WHAT, bytes: cursor.remaining() });
        }
        Ok(set)
    }
}
