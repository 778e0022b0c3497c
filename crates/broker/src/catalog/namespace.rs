//! Tenants and namespaces.

use std::{collections::BTreeMap, sync::Arc};

use bitacora_pulsar_wire::proto::ServerError;

use super::{
    policies::{NamespacePolicies, Tenant},
    state::Catalog,
};
use crate::{
    refused::Refused,
    schema::Strategy,
    storage::{key, value},
    topic::{DeduplicationPolicy, StoredDedup, Topic},
};

impl Catalog {
    /// Returns the tenants by name.
    pub(crate) fn tenants(&self) -> BTreeMap<String, Tenant> {
        self.lock().tenants.clone()
    }

    /// Creates or changes a tenant.
    ///
    /// # Errors
    /// The metadata cannot be written.
    pub(crate) async fn put_tenant(&self, name: &str, tenant: Tenant) -> Result<(), Refused> {
        self.store.put(key(&["tenant", name]), &tenant).await?;
        self.lock().tenants.insert(name.to_owned(), tenant);
        Ok(())
    }

    /// Deletes a tenant without namespaces.
    ///
    /// # Errors
    /// The tenant has namespaces, or the metadata cannot be written.
    pub(crate) async fn delete_tenant(&self, name: &str) -> Result<(), Refused> {
        if !self.namespaces_of(name).is_empty() {
            let message = format!("tenant {name} still has namespaces");
            return Err(Refused::new(ServerError::NotAllowedError, message));
        }
        self.store.apply(vec![(key(&["tenant", name]), None)]).await?;
        self.lock().tenants.remove(name);
        Ok(())
    }

    /// Returns the namespaces of a tenant as `tenant/namespace`.
    pub(crate) fn namespaces_of(&self, tenant: &str) -> Vec<String> {
        let prefix = format!("{tenant}/");
        self.lock().namespaces.keys().filter(|name| name.starts_with(&prefix)).cloned().collect()
    }

    /// Returns a namespace's policies.
    pub(crate) fn namespace(&self, name: &str) -> Option<NamespacePolicies> {
        self.lock().namespaces.get(name).cloned()
    }

    /// Creates or changes a namespace. Its open topics apply the new policies at once.
    ///
    /// # Errors
    /// The metadata cannot be written.
    pub(crate) async fn put_namespace(&self, name: &str, policies: NamespacePolicies) -> Result<(), Refused> {
        let _write_order = self.store.lock_write_order().await;
        let deduplication = DeduplicationPolicy::resolve(policies.deduplication_enabled, self.config.deduplication);
        // Write both in one transaction: otherwise a restart could trust sequence ids recorded before deduplication was
        // switched off.
        let mut changes = vec![(key(&["namespace", name]), Some(value(&policies)?))];
        let (open, closed) = self.topics_by_state(name);
        for topic in &open {
            changes.extend(topic.dedup_transition(deduplication)?);
        }
        if deduplication == DeduplicationPolicy::Off && self.deduplication(name) != DeduplicationPolicy::Off {
            let off = value(&StoredDedup::off())?;
            changes.extend(closed.iter().map(|topic| (key(&["dedup", topic]), Some(off.clone()))));
        }
        self.store.apply(changes).await?;
        // One lock covers both, so that a topic that is being opened, or was opened while the policy was stored,
        // applies the policy too.
        let prefix = format!("persistent://{name}/");
        let mut state = self.lock();
        state.namespaces.insert(name.to_owned(), policies);
        let topics = state.topics.iter().filter(|(topic, _)| topic.starts_with(&prefix));
        topics.filter_map(|(_, entry)| entry.open.get()).for_each(|topic| topic.set_deduplication(deduplication));
        Ok(())
    }

    /// Returns the open topics of a namespace, and the names of the others.
    fn topics_by_state(&self, namespace: &str) -> (Vec<Arc<Topic>>, Vec<String>) {
        let prefix = format!("persistent://{namespace}/");
        let state = self.lock();
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        for (name, entry) in state.topics.iter().filter(|(name, _)| name.starts_with(&prefix)) {
            match entry.open.get() {
                Some(topic) => open.push(Arc::clone(topic)),
                None => closed.push(name.clone()),
            }
        }
        (open, closed)
    }

    /// Deletes an empty namespace.
    ///
    /// # Errors
    /// The namespace has topics, or the metadata cannot be written.
    pub(crate) async fn delete_namespace(&self, name: &str) -> Result<(), Refused> {
        if !self.topics_of(name).is_empty() || !self.partitioned_of(name).is_empty() {
            let message = format!("namespace {name} still has topics");
            return Err(Refused::new(ServerError::NotAllowedError, message));
        }
        self.store.apply(vec![(key(&["namespace", name]), None)]).await?;
        self.lock().namespaces.remove(name);
        Ok(())
    }

    /// Returns the strategy by which a namespace's schemas may change.
    pub(crate) fn schema_strategy(&self, namespace: &str) -> Strategy {
        let state = self.lock();
        let policy = state.namespaces.get(namespace).and_then(|p| p.schema_compatibility_strategy.as_deref());
        policy.and_then(Strategy::parse).unwrap_or(self.config.schema_compatibility)
    }

    /// Returns which producers' messages the topics of a namespace deduplicate.
    pub(crate) fn deduplication(&self, namespace: &str) -> DeduplicationPolicy {
        self.lock().deduplication(namespace, &self.config)
    }
}
