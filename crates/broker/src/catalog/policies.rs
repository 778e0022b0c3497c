//! Tenants and namespaces in the form that is stored and that the admin REST shows.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tenant as the admin REST shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tenant {
    /// Roles that may administer the tenant; stored, but not enforced.
    #[serde(default)]
    pub admin_roles: Vec<String>,
    /// Clusters that the tenant may use; stored, but not enforced.
    #[serde(default)]
    pub allowed_clusters: Vec<String>,
}

/// Policies of a namespace. Those with an effect have a field; the others are stored unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NamespacePolicies {
    /// Deduplicate every producer (true) or none (false); absent = the broker's default.
    #[serde(default, rename = "deduplicationEnabled", skip_serializing_if = "Option::is_none")]
    pub deduplication_enabled: Option<bool>,
    /// Name of the strategy; absent or UNDEFINED = the broker's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_compatibility_strategy: Option<String>,
    /// All other policies.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
