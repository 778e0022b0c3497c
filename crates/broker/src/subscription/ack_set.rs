//! Acknowledgement state inside one batch entry.
//!
//! Format: 64-bit words, bit `i` of word `i / 64` stands for batch index `i`; **1 = still unacknowledged**, as in the
//! `ack_set` of `MessageIdData` and `CommandMessage` (PulsarApi.proto, PIP-54). Trailing words of zeros may be missing.

/// Marks which messages of a batch are still unacknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AckSet {
    words: Vec<u64>,
}

/// A batch holds at most this many messages; a longer announced set is refused as nonsense from the wire.
const MAX_WORDS: usize = 1 << 14;

impl AckSet {
    /// Reads the words of the wire. Words beyond the largest possible batch are dropped.
    pub(crate) fn from_wire(words: &[i64]) -> Self {
        let mut set = Self { words: words.iter().take(MAX_WORDS).map(|w| w.cast_unsigned()).collect() };
        set.trim();
        set
    }

    /// Returns the words of the wire, without trailing zeros.
    pub(crate) fn to_wire(&self) -> Vec<i64> {
        self.words.iter().map(|w| w.cast_signed()).collect()
    }

    /// Keeps only what is unacknowledged in both sets: acknowledgements add up.
    pub(crate) fn intersect(&mut self, other: &AckSet) {
        self.words.truncate(other.words.len());
        for (word, with) in self.words.iter_mut().zip(&other.words) {
            *word &= with;
        }
        self.trim();
    }

    /// Counts the messages that are still unacknowledged.
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
