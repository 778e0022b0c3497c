//! Warnings that are given once, although each plan of a table comes upon them again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The sentences that a source has said; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notices {
    source: Arc<str>,
    said: Arc<Mutex<HashSet<String>>>,
}

impl Notices {
    /// Begins without a sentence; `source` is named in each line.
    pub(crate) fn of(source: &str) -> Notices {
        Notices { source: source.into(), said: Arc::default() }
    }

    /// Warns, unless the same was said before. Returns whether it was new.
    pub(crate) fn warn(&self, sentence: &str) -> bool {
        let is_new = self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(sentence.to_owned());
        if is_new {
            tracing::warn!(source = %self.source, "{sentence}");
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_said_once() {
        let notices = Notices::of("shop");
        assert!(notices.warn("a") && notices.clone().warn("b"));
        assert!(!notices.warn("a") && !notices.clone().warn("b"));
    }
}
