//! Upstreams that the lifecycle operator (mcp.x-k8s.io) runs: where their status says.

use super::{
    grant::is_missing,
    remote::{http_url, is_own_service, own_service},
};
use crate::{
    compile::{
        Inputs, Placement, Sight,
        report::{Reason, Scope},
    },
    foreign::{Optional, Standing, Target},
};

/// The URL in its status, once it serves.
pub(super) fn url(scope: &mut Scope<'_>, at: &str, inputs: &Inputs<'_>, target: &Target) -> Option<String> {
    let field = format!("{at}.name");
    let Target { namespace, name, .. } = target;
    if *inputs.placement != Placement::Cluster {
        let message = format!("{target} runs in a cluster, and only servers of that cluster know where");
        scope.error(&field, Reason::NotSupported, message, "use remote with a URL that is reached from here");
        return None;
    }
    if is_missing(scope, &format!("{at}.group"), inputs, Optional::LifecycleServer) {
        return None;
    }
    let servers = inputs.surroundings.lifecycle.iter();
    let known = servers.copied().find(|it| it.namespace == *namespace && it.name == *name);
    let standing = known.map(|server| &server.standing);
    match (standing, inputs.surroundings.sight) {
        (Some(Standing::Serving { url }), _) => usable(scope, &field, inputs, url),
        (Some(Standing::Waiting { why }), _) => {
            let remedy = "mend it; this upstream is served as soon as it is Available";
            scope.warning(&field, Reason::UpstreamNotReady, format!("{target} {why}"), remedy);
            None
        }
        (None, Sight::Manifests) => {
            let message = format!("where {target} serves is known in the cluster only");
            scope.warning(&field, Reason::UpstreamNotReady, message, "see the status of the server there");
            None
        }
        (None, _) => {
            let message = format!("there is no MCPServer {name} in namespace {namespace}");
            scope.error(&field, Reason::ServerNotFound, message, "create it, or correct the name");
            None
        }
    }
}

fn usable(scope: &mut Scope<'_>, field: &str, inputs: &Inputs<'_>, text: &str) -> Option<String> {
    let url = http_url(scope, field, text)?;
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    if is_own_service(inputs, host) {
        own_service(scope, field, &format!("{text:?}"));
        return None;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let internal = matches!(labels.as_slice(), [.., "svc"] | [.., "svc", "cluster", "local"]);
    if internal && url.scheme() == "https" {
        let message = format!("{text:?} has a certificate that this server has no way to verify yet");
        let remedy = "serve it without TLS, or under a publicly trusted name";
        scope.error(field, Reason::NotSupported, message, remedy);
        return None;
    }
    Some(url.to_string())
}
