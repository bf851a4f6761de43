//! Upstreams that are another server object: an McpServer, or an MCPServer of mcp.x-k8s.io.

use super::{circle::Neighbours, grant, headers, lifecycle};
use crate::{
    compile::{
        Inputs, Placement,
        report::{Reason, Scope, namespace_of},
    },
    foreign::{Target, TargetKind},
    v1alpha1::{McpServer, ServerGroup, ServerRef},
};
use kube::ResourceExt;
use mcpfleet_config::Header;

/// Its URL and what requests carry; `at` is the field of the reference.
pub(super) fn target(
    scope: &mut Scope<'_>,
    at: &str,
    inputs: &Inputs<'_>,
    neighbours: &Neighbours<'_>,
    reference: &ServerRef,
) -> Option<(String, Vec<Header>)> {
    let kind = match reference.group {
        ServerGroup::Mcpfleet => TargetKind::Server,
        ServerGroup::Lifecycle => TargetKind::Lifecycle,
    };
    let namespace = reference.namespace.clone().unwrap_or_else(|| namespace_of(inputs.server));
    let target = Target::new(namespace, kind, &reference.name);
    let headers = headers(scope, at, inputs, reference.auth.as_ref());
    grant::permit(scope, at, inputs, &target)?;
    let url = match kind {
        TargetKind::Lifecycle => lifecycle::url(scope, at, inputs, &target)?,
        TargetKind::Server | TargetKind::Service => {
            let server = reachable(scope, at, neighbours, reference, &target)?;
            match inputs.placement {
                Placement::Cluster => endpoint(server),
                Placement::Standalone { base_url } => {
                    format!("{base_url}/{}/{}/mcp", target.namespace, target.name)
                }
            }
        }
    };
    Some((url, headers))
}

/// The McpServer, where this one can be a client of it.
fn reachable<'a>(
    scope: &mut Scope<'_>,
    at: &str,
    neighbours: &Neighbours<'a>,
    reference: &ServerRef,
    target: &Target,
) -> Option<&'a McpServer> {
    let field = format!("{at}.name");
    let Target { namespace, name, .. } = target;
    let Some(server) = neighbours.server(target) else {
        let message = format!("there is no McpServer {name} in namespace {namespace}");
        scope.error(&field, Reason::ServerNotFound, message, "create it, or correct the name");
        return None;
    };
    neighbours.refuse_circle(scope, &field, (name, target))?;
    if server.spec.tls.is_some() {
        let message =
            format!("{name} serves TLS with a certificate that this server has no way to verify yet");
        let remedy = "use remote with a publicly trusted name, or serve it without tls";
        scope.error(&field, Reason::NotSupported, message, remedy);
        return None;
    }
    if server.spec.auth.anonymous.is_none() && reference.auth.is_none() {
        let message = format!("{name} takes no anonymous callers, and the reference carries no credential");
        let remedy = "set auth of a serverRef to it, or let it take anonymous callers too";
        scope.error(&field, Reason::AuthMissing, message, remedy);
        return None;
    }
    Some(server)
}

/// MCP endpoint of a server's Service.
pub fn endpoint(server: &McpServer) -> String {
    // The ports of SERVICE_PORTS are the schemes' own, and so stay out of the URL.
    let scheme = if server.spec.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}.{}.svc/mcp", server.name_any(), namespace_of(server))
}
