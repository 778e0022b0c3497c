//! The rule for rows whose message no broker takes, while its options are applied.

use bitacora_change::{LargeRowPolicy, LargeRows, NameList, PatternList};

/// What happens to such a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Policy {
    /// The source stops.
    #[default]
    Stop,
    /// A dead letter is sent in place of the row.
    DeadLetter,
    /// Columns of the row are cut.
    Truncate,
}

/// Collects the options for large rows.
#[derive(Debug, Default)]
pub(super) struct LargeRowDraft {
    pub(super) policy: Policy,
    pub(super) max_bytes: u64,
    pub(super) chars: u32,
    pub(super) dead_letter_topic: Option<String>,
    columns: PatternList,
}

impl LargeRowDraft {
    pub(super) fn columns(&mut self, list: &NameList) -> Result<(), String> {
        let parsed = PatternList::compile(list);
        self.columns = parsed.map_err(|error| {
            format!("{} in bitacora.large.rows.columns cannot be used ({})", error.pattern, error.reason)
        })?;
        Ok(())
    }

    /// Returns the rule; the error is one sentence.
    pub(super) fn finish(self) -> Result<LargeRows, String> {
        if self.dead_letter_topic.is_some() && self.policy != Policy::DeadLetter {
            return Err(
                "large_rows.dead_letter_topic has an effect only if large_rows.policy is dead_letter; set that, or \
                remove the topic"
                    .to_owned(),
            );
        }
        if self.columns.is_empty() == (self.policy == Policy::Truncate) {
            return Err("large_rows.columns and the policy truncate belong together; set both or none".to_owned());
        }
        let policy = match self.policy {
            Policy::Stop => LargeRowPolicy::Stop,
            Policy::DeadLetter => LargeRowPolicy::DeadLetter { topic: self.dead_letter_topic },
            Policy::Truncate => LargeRowPolicy::Truncate { columns: self.columns, chars: self.chars },
        };
        Ok(LargeRows { max_bytes: self.max_bytes, policy })
    }
}
