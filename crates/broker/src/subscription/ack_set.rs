//! Acknowledgement state of the messages of one batch.
//!
//! Format: 64-bit words. Batch index `i` is bit `i % 64` of word `i / 64`; **1 = still unacknowledged**, as in the
//! `ack_set` of `MessageIdData` and `CommandMessage` (PulsarApi.proto, PIP-54). Trailing words of zeros may be missing.

/// The messages of a batch that are still unacknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AckSet {
    words: Vec<u64>,
}

/// Words of the longest set, enough for a batch of a million messages. It bounds the memory that a client's set takes.
const MAX_WORDS: usize = 1 << 14;

impl AckSet {
    /// Reads the words of the wire. Words beyond [`MAX_WORDS`] are dropped.
    pub(crate) fn from_wire(words: &[i64]) -> Self {
        let mut set = Self { words: words.iter().take(MAX_WORDS).map(|w| w.cast_unsigned()).collect() };
        set.trim();
        set
    }

    /// Returns the words of the wire, without trailing zeros.
    pub(crate) fn to_wire(&self) -> Vec<i64> {
        self.words.iter().map(|w| w.cast_signed()).collect()
    }

    /// Keeps only the messages that are unacknowledged in both sets, so that acknowledgements add up.
    pub(crate) fn intersect(&mut self, other: &AckSet) {
        self.words.truncate(other.words.len());
        for (word, with) in self.words.iter_mut().zip(&other.words) {
            *word &= with;
        }
        self.trim();
    }

    /// Returns the number of messages that are still unacknowledged.
    pub(crate) fn unacked(&self) -> u32 {
        self.words.iter().map(|w| w.count_ones()).sum()
    }

    /// Returns whether every message is acknowledged.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn trim(&mut self) {
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
    }
}
