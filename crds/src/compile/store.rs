//! `spec.store`.

use super::{auth, report::Scope};
use crate::v1alpha1::McpServer;
use mcpfleet_config::Store;

/// Where pods keep what they share; a refused reference is reported.
pub(super) fn compile(scope: &mut Scope<'_>, server: &McpServer) -> Option<Store> {
    let store = server.spec.store.as_ref()?;
    let url = auth::credential(scope, "spec.store.redis.secretRef", &store.redis.secret_ref);
    Some(Store::Redis { url })
}
