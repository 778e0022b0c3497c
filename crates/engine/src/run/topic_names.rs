//! Captured tables whose topics have the same name, found before the source starts.

use std::collections::BTreeMap;

use bitacora_change::TopicCollision;
use bitacora_source::capitalized;
use bitacora_source::check::{CheckName, Finding, Report, Severity};

use super::options::plan_options;
use crate::pipeline::topic_owners::{APART, meeting, owner_name};
use bitacora_config::SourceConfig;

/// Number of topics that the finding names; it counts the others.
const SHOWN: usize = 5;

/// Adds a finding if several tables would write into the same topic.
pub(super) fn check(config: &SourceConfig, report: &mut Report) {
    let options = plan_options(config);
    let mut by_topic: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for table in &report.tables {
        if !config.outboxes.iter().any(|rule| rule.covers(&table.database, &table.table)) {
            let topic = options.table_topic(&table.database, &table.table);
            by_topic.entry(topic).or_default().push(owner_name(&table.database, &table.table));
        }
    }
    let meetings: Vec<String> = by_topic
        .iter()
        .filter(|(_, tables)| tables.len() > 1)
        .map(|(topic, tables)| meeting(&tables.iter().map(String::as_str).collect::<Vec<_>>(), topic))
        .collect();
    if meetings.is_empty() {
        return;
    }
    let mut message = meetings.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if meetings.len() > SHOWN {
        message.push_str(&format!("; and {} more topics", meetings.len() - SHOWN));
    }
    let (severity, remedy) = match options.topic_collision {
        // The configuration allows it.
        TopicCollision::Mix => (Severity::Ok, String::new()),
        TopicCollision::Stop | TopicCollision::Escape => (Severity::Failure, capitalized(APART)),
    };
    report.findings.push(Finding { name: CheckName::Topics, severity, message: capitalized(&message), remedy });
}
