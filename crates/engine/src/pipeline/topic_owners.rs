//! Which table each topic is of: two tables whose topics have the same name are told before a row of one goes to the other's.

use std::collections::HashMap;

use bitacora_change::TopicCollision;
use bitacora_source::quoted;

use super::topics::Topics;
use crate::error::EngineError;
use crate::notices::Notices;

/// What an operator does about tables that meet in a topic.
pub const APART: &str = "exclude one of them, or set topic_collision: \"escape\" names the topics so that none meet, \"mix\" lets them share one";

/// The tables by their topics.
#[derive(Debug, Default)]
pub struct TopicOwners {
    by_topic: HashMap<String, String>,
    is_seeded: bool,
}

impl TopicOwners {
    /// Gives their topics to the tables that are known already, once: a stream that goes on meets a new table before it
    /// meets rows of the old ones.
    pub fn seed(&mut self, known: impl Iterator<Item = (String, String)>) {
        if !std::mem::replace(&mut self.is_seeded, true) {
            for (topic, table) in known {
                self.by_topic.entry(topic).or_insert(table);
            }
        }
    }

    /// Gives a topic to a table. `is_there` tells whether a table that had the topic before still exists: one that was
    /// dropped or renamed leaves it.
    ///
    /// # Errors
    /// Another table has it, or rows of an outbox go there, and the source is to stop then.
    pub fn claim(
        &mut self,
        topics: &Topics,
        topic: &str,
        table: &str,
        policy: TopicCollision,
        notices: &Notices,
        is_there: impl FnOnce(&str) -> bool,
    ) -> Result<(), EngineError> {
        let what = match self.by_topic.get(topic) {
            Some(owner) if owner == table => return Ok(()),
            Some(owner) if is_there(owner) => meeting(&[owner, table], topic),
            Some(_) => String::new(),
            None if topics.knows(topic) => {
                format!("rows of an outbox, or dead letters, go to {topic}, which is the topic of the table {table}")
            }
            None => String::new(),
        };
        if !what.is_empty() {
            judge(&what, policy, notices)?;
        }
        self.by_topic.insert(topic.to_owned(), table.to_owned());
        Ok(())
    }

    /// Checks the topic that a row of an outbox names.
    ///
    /// # Errors
    /// It is the topic of a captured table, and the source is to stop then.
    pub fn check_routed(
        &self,
        topic: &str,
        outbox: &str,
        policy: TopicCollision,
        notices: &Notices,
    ) -> Result<(), EngineError> {
        let Some(owner) = self.by_topic.get(topic) else { return Ok(()) };
        let what = format!("a row of the outbox {outbox} names {topic}, which is the topic of the table {owner}");
        judge(&what, policy, notices)
    }
}

/// A table as it is named here: `a`.`b.c` and `a.b`.`c` are two.
pub fn owner_name(database: &str, table: &str) -> String {
    format!("{}.{}", quoted(database), quoted(table))
}

/// The sentence about tables that have the same topic.
pub fn meeting(tables: &[&str], topic: &str) -> String {
    format!("the tables {} have the same topic, {topic}, so that their rows would be mixed", tables.join(" and "))
}

fn judge(what: &str, policy: TopicCollision, notices: &Notices) -> Result<(), EngineError> {
    match policy {
        TopicCollision::Mix => {
            notices.warn(what);
            Ok(())
        }
        TopicCollision::Stop | TopicCollision::Escape => Err(EngineError::configuration(what.to_owned()).remedy(APART)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn claim(owners: &mut TopicOwners, table: &str, policy: TopicCollision, is_there: bool) -> Result<(), String> {
        let topics = Topics::new(1);
        let claimed = owners.claim(&topics, "p.cj.__", table, policy, &Notices::default(), |_| is_there);
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
        let routed = owners.check_routed("p.cj.__", "cj.out", TopicCollision::Stop, &Notices::default());
        assert!(routed.unwrap_err().to_string().contains("cj.out"));
    }

    #[test]
    fn a_table_that_is_gone_leaves_its_topic() {
        let mut owners = TopicOwners::default();
        claim(&mut owners, "cj.订单", TopicCollision::Stop, true).unwrap();
        claim(&mut owners, "cj.用户", TopicCollision::Stop, false).unwrap();
        claim(&mut owners, "cj.用户", TopicCollision::Stop, true).unwrap();
    }
}
