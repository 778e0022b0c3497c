//! Topic names.
//!
//! Accepted: `topic`, `tenant/namespace/topic`, `persistent://tenant/namespace/topic`, `non-persistent://…`. The
//! canonical form is the one with the scheme; a short name belongs to tenant `public`, namespace `default`.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

const PARTITION_MARK: &str = "-partition-";

/// Whether a topic is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Domain {
    /// Stored until acknowledged or out of retention.
    Persistent,
    /// Only relayed.
    NonPersistent,
}

impl Domain {
    /// Returns the scheme, `persistent` or `non-persistent`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Persistent => "persistent",
            Self::NonPersistent => "non-persistent",
        }
    }
}

/// A complete topic name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName {
    domain: Domain,
    tenant: String,
    namespace: String,
    local: String,
}

impl TopicName {
    /// Reads any accepted form.
    ///
    /// # Errors
    /// [`Error::TopicName`] names the text and what is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::TopicName { name: text.to_owned(), reason };
        let (domain, rest) = match text.split_once("://") {
            None => (Domain::Persistent, text),
            Some(("persistent", rest)) => (Domain::Persistent, rest),
            Some(("non-persistent", rest)) => (Domain::NonPersistent, rest),
            Some(_) => return Err(invalid("the scheme is neither persistent nor non-persistent")),
        };
        let mut parts = rest.splitn(3, '/');
        let (tenant, namespace, local) = match (parts.next(), parts.next(), parts.next()) {
            (Some(tenant), Some(namespace), Some(local)) => (tenant, namespace, local),
            (Some(local), None, None) if rest.len() == text.len() => ("public", "default", local),
            _ => return Err(invalid("it has neither one nor three parts")),
        };
        if tenant.is_empty() || namespace.is_empty() || local.is_empty() {
            return Err(invalid("a part is empty"));
        }
        if !tenant.bytes().chain(namespace.bytes()).all(is_name_byte) {
            return Err(invalid("tenant and namespace may have letters, digits and -=:._ only"));
        }
        if local.contains('/') {
            return Err(invalid("the form with a cluster name is not supported"));
        }
        if local.chars().any(char::is_control) {
            return Err(invalid("it has control characters"));
        }
        Ok(Self { domain, tenant: tenant.to_owned(), namespace: namespace.to_owned(), local: local.to_owned() })
    }

    /// Returns the domain.
    pub fn domain(&self) -> Domain {
        self.domain
    }

    /// Returns the tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Returns the namespace without its tenant.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns `tenant/namespace`.
    pub fn full_namespace(&self) -> String {
        format!("{}/{}", self.tenant, self.namespace)
    }

    /// Returns the last part, with the partition suffix if there is one.
    pub fn local_name(&self) -> &str {
        &self.local
    }

    /// Returns the index when this is one partition of a partitioned topic.
    pub fn partition(&self) -> Option<u32> {
        let (_, index) = self.local.rsplit_once(PARTITION_MARK)?;
        // `parse` would also take "+1" and "01", which are not names of partitions.
        let number = index.parse::<u32>().ok()?;
        (number.to_string() == index).then_some(number)
    }

    /// Returns the name of a partition of this topic.
    pub fn with_partition(&self, index: u32) -> Self {
        Self { local: format!("{}{PARTITION_MARK}{index}", self.local), ..self.clone() }
    }

    /// Returns the partitioned topic of which this is a partition, or itself.
    pub fn without_partition(&self) -> Self {
        match (self.partition(), self.local.rsplit_once(PARTITION_MARK)) {
            (Some(_), Some((base, _))) if !base.is_empty() => Self { local: base.to_owned(), ..self.clone() },
            _ => self.clone(),
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-=:._".contains(&byte)
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/{}/{}", self.domain.as_str(), self.tenant, self.namespace, self.local)
    }
}

impl FromStr for TopicName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
