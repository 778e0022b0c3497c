//! Rows whose message is too large for any broker, and what becomes of them.
//!
//! A message above the broker's maximum size travels in chunks, so only two bounds are left: all chunks of a message
//! together hold less than 2 GiB, and every chunk repeats key and properties.

use serde_json::json;

use crate::event_context::EventContext;
use crate::message::{Message, MessageBuffer, Operation, WholeMessage};
use crate::options::PlanOptions;
use crate::pattern::PatternList;

/// Most bytes of a message. Pulsar counts the bytes of a message's chunks in 32 bits; this leaves room for what
/// compression adds at worst.
pub const MESSAGE_BYTES_MAX: u64 = 2_000_000_000;

/// A key longer than this is cut where it is shown.
const SHOWN_KEY_BYTES: usize = 200;

/// A dead letter goes without a key that is longer than this.
const LETTER_KEY_BYTES: usize = 64 * 1024;

/// What becomes of rows whose message is too large.
#[derive(Debug, Clone)]
pub struct LargeRows {
    /// Bytes of key, value and properties of one message before compression.
    pub max_bytes: u64,
    /// What becomes of a row above them.
    pub policy: LargeRowPolicy,
}

impl Default for LargeRows {
    fn default() -> Self {
        Self { max_bytes: MESSAGE_BYTES_MAX, policy: LargeRowPolicy::default() }
    }
}

/// What becomes of a row whose message is too large.
#[derive(Debug, Clone, Default)]
pub enum LargeRowPolicy {
    /// The source stops and names it.
    #[default]
    Stop,
    /// A dead letter that names it takes its place.
    DeadLetter {
        /// The topic; `None` is the table's own topic with `.dead-letter` behind it.
        topic: Option<String>,
    },
    /// Columns are cut, in this row alone.
    Truncate {
        /// Which, as `database.table.column`.
        columns: PatternList,
        /// Characters, or bytes of binary columns, that stay.
        chars: u32,
    },
}

/// By how much a message is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// Bytes that it has.
    pub bytes: u64,
    /// Bytes that it may have.
    pub limit_bytes: u64,
    /// Which of its bytes.
    pub part: Part,
}

/// A part of a message with a bound of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Message,
    /// Key and properties, which every chunk repeats.
    KeyAndProperties,
}

impl LargeRows {
    /// Returns by how much a message is too large, if it is; `metadata_bytes_max` is the broker's bound for key and
    /// properties.
    pub fn excess(&self, buffer: &MessageBuffer, message: &Message, metadata_bytes_max: usize) -> Option<Excess> {
        let key = buffer.key(message).map_or(0, <[u8]>::len);
        let properties: usize =
            buffer.properties(message).iter().map(|(name, value)| name.len() + value.len() + 16).sum();
        let bytes = (key + properties + buffer.value(message).map_or(0, <[u8]>::len)) as u64;
        if bytes > self.max_bytes {
            return Some(Excess { bytes, limit_bytes: self.max_bytes, part: Part::Message });
        }
        // Keys are written in Base64.
        let repeated = key.div_ceil(3) * 4 + properties;
        (repeated > metadata_bytes_max).then_some(Excess {
            bytes: repeated as u64,
            limit_bytes: metadata_bytes_max as u64,
            part: Part::KeyAndProperties,
        })
    }

    /// Returns the first excess of the messages of a row.
    pub fn excess_of_row(&self, buffer: &MessageBuffer, metadata_bytes_max: usize) -> Option<(Excess, String)> {
        buffer.messages().iter().find_map(|message| {
            let excess = self.excess(buffer, message, metadata_bytes_max)?;
            Some((excess, shown_key(buffer.key(message))))
        })
    }

    /// Returns the topic of dead letters of a table, if that is the policy.
    pub fn dead_letter_topic(&self, table_topic: &str) -> Option<String> {
        match &self.policy {
            LargeRowPolicy::DeadLetter { topic } => Some(topic.clone().unwrap_or(format!("{table_topic}.dead-letter"))),
            LargeRowPolicy::Stop | LargeRowPolicy::Truncate { .. } => None,
        }
    }

    /// Returns the options of a plan that cuts the named columns, if that is the policy.
    pub fn cutting(&self, options: &PlanOptions) -> Option<PlanOptions> {
        let LargeRowPolicy::Truncate { columns, chars } = &self.policy else { return None };
        let mut options = options.clone();
        options.columns.truncations.insert(0, (columns.clone(), *chars));
        Some(options)
    }
}

/// Writes the dead letter of a message that is too large: a JSON object that names it, under its key. Its properties
/// are those of an outbox's dead letter: `reason`, `table` and `place`.
pub fn dead_letter(
    buffer: &MessageBuffer,
    message: &Message,
    excess: Excess,
    table: &str,
    operation: Operation,
    context: &EventContext<'_>,
) -> MessageBuffer {
    let key = buffer.key(message);
    let reason = excess.to_string();
    let operation = match operation {
        Operation::Create => "c",
        Operation::Update => "u",
        Operation::Delete => "d",
        Operation::Read => "r",
    };
    let value = json!({
        "reason": reason,
        "table": table,
        "op": operation,
        "key": shown_key(key),
        "bytes": excess.bytes,
        "file": context.file,
        "pos": context.position,
        "row": context.row,
        "gtid": context.gtid,
    });
    let properties = [
        ("reason".to_owned(), reason),
        ("table".to_owned(), table.to_owned()),
        ("place".to_owned(), format!("{}:{}", context.file, context.position)),
    ];
    let mut letter = MessageBuffer::default();
    letter.push(&WholeMessage {
        key: key.filter(|key| key.len() <= LETTER_KEY_BYTES),
        value: Some(value.to_string().as_bytes()),
        properties: &properties,
        event_time_ms: u64::try_from(context.now_us / 1_000).ok(),
    });
    letter
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Excess { bytes, limit_bytes, part } = self;
        match part {
            Part::Message => write!(f, "its message of {bytes} bytes is above the {limit_bytes} that one may have"),
            Part::KeyAndProperties => {
                write!(
                    f,
                    "key and properties of its message have {bytes} bytes, above the {limit_bytes} that the broker \
                    takes of them"
                )
            }
        }
    }
}

/// Returns a key as a message or a dead letter names it, cut where it is long.
pub fn shown_key(key: Option<&[u8]>) -> String {
    let Some(key) = key else { return "none".to_owned() };
    match key.get(..SHOWN_KEY_BYTES) {
        Some(start) if key.len() > SHOWN_KEY_BYTES => format!("{}…", String::from_utf8_lossy(start)),
        _ => String::from_utf8_lossy(key).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn buffer(key: usize, value: usize, property: usize) -> MessageBuffer {
        let (key, value) = (vec![b'k'; key], vec![b'v'; value]);
        let properties = [("p".to_owned(), "x".repeat(property))];
        let mut buffer = MessageBuffer::default();
        buffer.push(&WholeMessage {
            key: Some(&key),
            value: Some(&value),
            properties: &properties,
            event_time_ms: None,
        });
        buffer
    }

    fn check(buffer: &MessageBuffer, expected: Option<(u64, Part)>) {
        let rows = LargeRows { max_bytes: 1_000, ..LargeRows::default() };
        let excess = rows.excess(buffer, &buffer.messages()[0], 100);
        assert_eq!(excess.map(|excess| (excess.bytes, excess.part)), expected);
    }

    #[test]
    fn a_message_has_two_bounds() {
        check(&buffer(30, 900, 3), None);
        check(&buffer(30, 980, 3), Some((1_030, Part::Message)));
        check(&buffer(90, 3, 3), Some((140, Part::KeyAndProperties)));
        check(&buffer(3, 3, 90), Some((111, Part::KeyAndProperties)));
    }

    #[test]
    fn a_key_is_shown_cut() {
        assert_eq!(shown_key(Some(b"{\"id\":1}")), "{\"id\":1}");
        assert_eq!(shown_key(Some(&[b'k'; 300])).chars().count(), SHOWN_KEY_BYTES + 1);
        assert_eq!(shown_key(None), "none");
    }
}
