//! `/healthz`: how each server and each of its upstreams is, for people. Always 200: a lost upstream is no reason to
//! restart anything, nor to send clients elsewhere.

use super::{Admin, status::all};
use crate::readiness::verdict::Verdict;
use mcpfleet_config::status::PodStatus;
use serde_json::{Map, Value, json};

/// The document, one member a line.
pub(super) fn document(admin: &Admin) -> String {
    let servers: Map<String, Value> =
        all(admin).into_iter().map(|(name, status)| (name, server(&status))).collect();
    let not_ready = match admin.readiness.last() {
        Verdict::Ready => None,
        Verdict::NotReady(reason) => Some(reason),
    };
    let document = json!({"ready": not_ready.is_none(), "notReadyReason": not_ready, "servers": servers});
    let text = serde_json::to_string_pretty(&document).unwrap_or_else(|_| "{}".into());
    format!("{text}\n")
}

fn server(status: &PodStatus) -> Value {
    json!({
        "tools": status.tools,
        "configuration": status.config_hash.as_ref().map(|hash| hash.short().to_owned()),
        "revision": status.config_revision,
        "refusedConfiguration": status.rejected.as_ref().map(|rejected| &rejected.message),
        "missingCredentials": status.missing_credentials.iter().map(|it| it.credential.to_string()).collect::<Vec<_>>(),
        "certificate": status.tls.as_ref().and_then(|tls| tls.message.as_ref()),
        "store": status.store.as_ref().and_then(|store| store.message.as_ref()),
        "upstreams": status.upstreams,
    })
}
