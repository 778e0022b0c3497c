//! MariaDB's ids and positions.

use crate::error::{Error, quote};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// An id of MariaDB.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MariadbGtid {
    /// Domain.
    pub domain: u32,
    /// Server that started the transaction.
    pub server_id: u32,
    /// Number in the domain.
    pub sequence: u64,
}

impl fmt::Display for MariadbGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server_id, self.sequence)
    }
}

impl FromStr for MariadbGtid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.trim().split('-');
        let mut part = || parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let gtid = (|| {
            let (domain, server_id, sequence) = (part()?, part()?, part()?);
            Some(Self {
                domain: domain.parse().ok()?,
                server_id: server_id.parse().ok()?,
                sequence: sequence.parse().ok()?,
            })
        })();
        gtid.filter(|_| parts.next().is_none()).ok_or_else(|| Error::Gtid {
            text: quote(text.as_bytes()),
            what: "MariaDB GTID",
            reason: "it must be domain-server-sequence",
        })
    }
}

/// A position of MariaDB: the newest id of each domain. All transactions of a domain up to its id are in the set.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MariadbGtidSet {
    domains: BTreeMap<u32, MariadbGtid>,
}

impl MariadbGtidSet {
    /// Returns whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Returns the newest id of each domain, ascending by domain.
    pub fn iter(&self) -> impl Iterator<Item = MariadbGtid> + '_ {
        self.domains.values().copied()
    }

    /// Adds an id and all before it. Nothing changes if the domain is already at that id or behind it.
    pub fn add(&mut self, gtid: MariadbGtid) {
        if !self.contains(&gtid) {
            self.advance(gtid);
        }
    }

    /// Sets its domain's position to `gtid`, even backwards. A server without strict mode lets sequence numbers fall,
    /// and a stream resumes behind its last id, not behind its greatest.
    pub fn advance(&mut self, gtid: MariadbGtid) {
        self.domains.insert(gtid.domain, gtid);
    }

    /// Returns whether the id is at or before its domain's position.
    pub fn contains(&self, gtid: &MariadbGtid) -> bool {
        self.domains.get(&gtid.domain).is_some_and(|newest| gtid.sequence <= newest.sequence)
    }

    /// Adds all of `other`.
    pub fn add_set(&mut self, other: &Self) {
        other.iter().for_each(|gtid| self.add(gtid));
    }

    /// Returns the domains in which `self` is ahead of `other`, with the position of `self`.
    pub fn subtract(&self, other: &Self) -> Self {
        let ahead = self.domains.iter().filter(|(_, gtid)| !other.contains(gtid));
        Self { domains: ahead.map(|(domain, gtid)| (*domain, *gtid)).collect() }
    }

    /// Returns whether `self` is ahead of `other` in no domain.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|gtid| other.contains(&gtid))
    }
}

impl fmt::Display for MariadbGtidSet {
    /// Prints the position as `gtid_binlog_pos` and `slave_connect_state` have it: `0-1-100,1-2-7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, gtid) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            gtid.fmt(f)?;
        }
        Ok(())
    }
}

impl FromStr for MariadbGtidSet {
    type Err = Error;

    /// Several ids of one domain count as their newest (`gtid_binlog_state` lists one for each server).
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut set = Self::default();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            set.add(part.parse()?);
        }
        Ok(set)
    }
}
