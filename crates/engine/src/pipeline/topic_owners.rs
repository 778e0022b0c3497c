//! Which table owns each topic. Two tables with the same topic are reported before a row of one goes to the topic of
//! the other.

use std::collections::{HashMap, HashSet};

use bitacora_change::outbox::OutboxRule;
use bitacora_change::{PlanOptions, TopicCollision};
use bitacora_source::{Filter, quoted};

use super::topics::Topics;
use crate::error::{EngineError, ErrorKind};
use crate::notices::Notices;

/// What an operator can do about two tables with the same topic.
pub(crate) const APART: &str = "exclude one of them, or set topic_collision: \"escape\" names the topics so that none \
    meet, \"mix\" lets them share one";

/// What the source does about two tables with the same topic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collision<'a> {
    /// Whether they may.
    pub policy: TopicCollision,
    /// Where it is said that they do.
    pub notices: &'a Notices,
}

impl Collision<'_> {
    fn judge(self, what: &str) -> Result<(), EngineError> {
        match self.policy {
            TopicCollision::Mix => {
                self.notices.warn(&format!("{what}; topic_collision = \"mix\" allows it"));
                Ok(())
            }
            TopicCollision::Stop | TopicCollision::Escape => {
                Err(EngineError::new(ErrorKind::Configuration, what.to_owned()).remedy(APART))
            }
        }
    }
}

/// The tables by their topics.
#[derive(Debug, Default)]
pub(crate) struct TopicOwners {
    by_topic: HashMap<String, Vec<String>>,
    /// Topics that a table has opened.
    claimed: HashSet<String>,
    is_seeded: bool,
}

impl TopicOwners {
    /// Assigns the topics of the captured tables that are known already, once: a stream that goes on meets a new table,
    /// or a row of an outbox, before it meets rows of the old ones.
    pub(crate) fn seed<'a>(
        &mut self,
        known: impl Iterator<Item = (&'a str, &'a str)>,
        (options, filter, outboxes): (&PlanOptions, &Filter, &[OutboxRule]),
    ) {
        if std::mem::replace(&mut self.is_seeded, true) {
            return;
        }
        for (database, table) in known {
            if filter.table(database, table) && !outboxes.iter().any(|rule| rule.covers(database, table)) {
                let owners = self.by_topic.entry(options.table_topic(database, table)).or_default();
                owners.push(owner_name(database, table));
            }
        }
    }

    /// Assigns a topic to a table. `is_there` tells whether another table that had the topic before still exists: one
    /// that was dropped or renamed leaves it.
    ///
    /// # Errors
    /// Another table has it, or rows of an outbox go there, and the policy is to stop.
    pub(crate) fn claim(
        &mut self,
        topics: &Topics,
        topic: &str,
        table: &str,
        collision: Collision<'_>,
        is_there: impl Fn(&str) -> bool,
    ) -> Result<(), EngineError> {
        let is_first = self.claimed.insert(topic.to_owned());
        let owners = self.by_topic.entry(topic.to_owned()).or_default();
        owners.retain(|owner| owner == table || is_there(owner));
        let others: Vec<&str> = owners.iter().map(String::as_str).filter(|owner| *owner != table).collect();
        if !others.is_empty() {
            collision.judge(&meeting(&[&others[..], &[table]].concat(), topic))?;
        } else if is_first && topics.knows(topic) {
            let what =
                format!("rows of an outbox, or dead letters, go to {topic}, which is the topic of the table {table}");
            collision.judge(&what)?;
        }
        if !owners.iter().any(|owner| owner == table) {
            owners.push(table.to_owned());
        }
        Ok(())
    }

    /// Checks the topic that a row of an outbox names.
    ///
    /// # Errors
    /// It is the topic of a captured table, and the policy is to stop.
    pub(crate) fn check_routed(&self, topic: &str, outbox: &str, collision: Collision<'_>) -> Result<(), EngineError> {
        let Some(owner) = self.by_topic.get(topic).and_then(|owners| owners.first()) else { return Ok(()) };
        let what = format!("a row of the outbox {outbox} names {topic}, which is the topic of the table {owner}");
        collision.judge(&what)
    }
}

/// A table's name with its parts apart: `a`.`b.c` and `a.b`.`c` are two tables.
pub(crate) fn owner_name(database: &str, table: &str) -> String {
    format!("{}.{}", quoted(database), quoted(table))
}

/// The sentence about tables that have the same topic.
pub(crate) fn meeting(tables: &[&str], topic: &str) -> String {
    format!("the tables {} have the same topic, {topic}, so that their rows would be mixed", tables.join(" and "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn claim(owners: &mut TopicOwners, table: &str, policy: TopicCollision, is_there: bool) -> Result<(), String> {
        let topics = Topics::new(1);
        let claimed =
            owners.claim(&topics, "p.cj.__", table, Collision { policy, notices: &Notices::default() }, |_| is_there);
        claimed.map_err(|error| error.to_string())
    }

    #[test]
    fn the_second_table_of_a_topic_is_told_before_its_first_row() {
        let mut owners = TopicOwners::default();
        for _ in 0..2 {
            claim(&mut owners, "cj.订单", TopicCollision::Stop, true).unwrap();
        }
        let error = claim(&mut owners, "cj.用户", TopicCollision::Stop, true).unwrap_err();
        assert!(error.contains("cj.订单 and cj.用户") && error.contains("p.cj.__"), "{error}");
        claim(&mut owners, "cj.用户", TopicCollision::Mix, true).unwrap();
        let routed = owners.check_routed(
            "p.cj.__",
            "cj.out",
            Collision { policy: TopicCollision::Stop, notices: &Notices::default() },
        );
        assert!(routed.unwrap_err().to_string().contains("cj.out"));
    }

    /// The catalog has a new table before its first row comes, and may name it before the old one.
    #[test]
    fn a_new_table_is_told_where_the_catalog_names_both() {
        let mut owners = TopicOwners::default();
        owners.by_topic.insert("p.cj.__".to_owned(), ["cj.用户", "cj.订单"].map(str::to_owned).into());
        let error = claim(&mut owners, "cj.用户", TopicCollision::Stop, true).unwrap_err();
        assert!(error.contains("cj.订单 and cj.用户"), "{error}");
    }

    #[test]
    fn a_table_that_is_gone_leaves_its_topic() {
        let mut owners = TopicOwners::default();
        claim(&mut owners, "cj.订单", TopicCollision::Stop, true).unwrap();
        claim(&mut owners, "cj.用户", TopicCollision::Stop, false).unwrap();
        claim(&mut owners, "cj.用户", TopicCollision::Stop, true).unwrap();
    }
}
