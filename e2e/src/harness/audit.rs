//! What reached the API server, by its own count.

use anyhow::Context as _;
use kube::Client;
use std::collections::BTreeMap;

/// Write requests since the API server started, by verb and resource, for the groups that the operator writes.
///
/// Leases are left out: they are the election's heartbeat. TokenReviews and the like are not state.
///
/// # Errors
/// The metrics cannot be read.
pub async fn writes(client: &Client) -> anyhow::Result<BTreeMap<String, u64>> {
    let request = http::Request::get("/metrics").body(Vec::new())?;
    let text = client.request_text(request).await.context("the API server's metrics")?;
    let mut counts = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
        let label = |name: &str| {
            let rest = line.split_once(&format!("{name}=\""))?.1;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let (Some(verb), Some(resource)) = (label("verb"), label("resource")) else { continue };
        let written = ["POST", "PUT", "PATCH", "APPLY", "DELETE"].contains(&verb.as_str());
        // A kubelet's request for a pod's token is counted under serviceaccounts.
        let is_state = label("subresource").as_deref() != Some("token");
        if !written || !is_state || !WATCHED.contains(&resource.as_str()) {
            continue;
        }
        let count =
            line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok()).unwrap_or_default();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let count = count as u64;
        *counts.entry(format!("{verb} {resource}")).or_default() += count;
    }
    Ok(counts)
}

const WATCHED: [&str; 11] = [
    "configmaps",
    "deployments",
    "events",
    "mcpservers",
    "mcptools",
    "networkpolicies",
    "poddisruptionbudgets",
    "providerroutes",
    "secrets",
    "serviceaccounts",
    "services",
];
