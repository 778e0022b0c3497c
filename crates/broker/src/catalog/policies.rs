//! Tenants and namespaces as they are stored and as the admin REST shows them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tenant as the admin REST shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tenant {
    /// Roles that may administer it; kept, not enforced.
    #[serde(default)]
    pub admin_roles: Vec<String>,
    /// Clusters that it may use; kept, not enforced.
    #[serde(default)]
    pub allowed_clusters: Vec<String>,
}

/// Policies of a namespace. What has an effect has a field; the rest is kept as it was given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NamespacePolicies {
    /// Deduplicate every producer (true) or none (false); absent = the broker's default.
    #[serde(default, rename = "deduplicationEnabled", skip_serializing_if = "Option::is_none")]
    pub deduplication_enabled: Option<bool>,
    /// Name of the strategy; absent or UNDEFINED = the broker's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_compatibility_strategy: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
