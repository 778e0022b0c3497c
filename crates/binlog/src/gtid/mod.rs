//! Global transaction ids and sets of them, of both servers.
//!
//! MySQL: `uuid[:tag]:number`, a set is `uuid:1-5:7,uuid:1-3:tag:1-2`. MariaDB: `domain-server-sequence`, a position is
//! the newest id of each domain, separated by commas. A set of one server cannot be combined with a set of the other;
//! [`GtidSet`] is one of both kinds.

mod mariadb;
mod mysql;
mod mysql_binary;

pub use mariadb::{MariadbGtid, MariadbGtidSet};
pub use mysql::{Interval, MysqlGtidSet, Tag, Uuid};

use crate::error::Error;
use std::{fmt, str::FromStr};

/// The transactions that a server has, or that a reader has seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GtidSet {
    /// Of MySQL.
    Mysql(MysqlGtidSet),
    /// Of MariaDB.
    Mariadb(MariadbGtidSet),
}

impl GtidSet {
    /// Returns whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Mysql(set) => set.is_empty(),
            Self::Mariadb(set) => set.is_empty(),
        }
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) -> Result<(), Error> {
        match (self, other) {
            (Self::Mysql(set), Self::Mysql(other)) => set.add_set(other),
            (Self::Mariadb(set), Self::Mariadb(other)) => set.add_set(other),
            _ => return Err(Error::GtidFlavor),
        }
        Ok(())
    }

    /// Returns what is in `self` and not in `other`.
    pub fn subtract(&self, other: &Self) -> Result<Self, Error> {
        match (self, other) {
            (Self::Mysql(set), Self::Mysql(other)) => Ok(Self::Mysql(set.subtract(other))),
            (Self::Mariadb(set), Self::Mariadb(other)) => Ok(Self::Mariadb(set.subtract(other))),
            _ => Err(Error::GtidFlavor),
        }
    }

    /// Returns whether all of `self` is in `other`.
    pub fn is_subset(&self, other: &Self) -> Result<bool, Error> {
        match (self, other) {
            (Self::Mysql(set), Self::Mysql(other)) => Ok(set.is_subset(other)),
            (Self::Mariadb(set), Self::Mariadb(other)) => Ok(set.is_subset(other)),
            _ => Err(Error::GtidFlavor),
        }
    }
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mysql(set) => set.fmt(f),
            Self::Mariadb(set) => set.fmt(f),
        }
    }
}

impl FromStr for GtidSet {
    type Err = Error;

    /// Parses either kind; only MySQL's has colons. The empty text is MySQL's empty set.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.contains(':') || text.trim().is_empty() {
            text.parse().map(Self::Mysql)
        } else {
            text.parse().map(Self::Mariadb)
        }
    }
}
