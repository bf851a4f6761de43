//! Whether a reference may be followed: always within a namespace, elsewhere where a `ReferenceGrant` says so. What stands
//! here is asked before anything else, so that nobody learns what another namespace holds.

use crate::{
    compile::{
        Inputs, Sight,
        report::{Reason, Scope, namespace_of},
    },
    foreign::{Optional, Target},
};

/// `None`, and a finding, when the reference leads where nobody lets it.
pub(super) fn permit(scope: &mut Scope<'_>, at: &str, inputs: &Inputs<'_>, target: &Target) -> Option<()> {
    let home = namespace_of(inputs.server);
    let there = &target.namespace;
    if *there == home {
        return Some(());
    }
    let field = format!("{at}.namespace");
    if let Sight::Namespaces(watched) = inputs.surroundings.sight
        && !watched.contains(there)
    {
        let message = format!("the operator works in its own namespaces only, and {there:?} is none of them");
        let remedy = "add it to the operator's watched namespaces, or use remote";
        scope.error(&field, Reason::NamespaceNotWatched, message, remedy);
        return None;
    }
    if is_missing(scope, &field, inputs, Optional::ReferenceGrant) {
        return None;
    }
    if inputs.surroundings.grants.iter().any(|grant| grant.allows(&home, target)) {
        return Some(());
    }
    let message = format!("nothing in namespace {there:?} lets servers of {home} refer to {target}");
    scope.error(&field, Reason::ReferenceNotGranted, message, &remedy(&home, target));
    None
}

/// Whether a kind is unknown to the cluster; a finding says so.
pub(super) fn is_missing(scope: &mut Scope<'_>, field: &str, inputs: &Inputs<'_>, kind: Optional) -> bool {
    if !inputs.surroundings.missing.contains(&kind) {
        return false;
    }
    let (name, group) = (kind.kind(), kind.group());
    let message = format!("the cluster has no {name} of {group}, or does not let the operator read it");
    let remedy = format!("install the definition of {name}; the operator finds it within a minute");
    scope.error(field, Reason::CrdMissing, message, &remedy);
    true
}

/// The grant to write, as a manifest of one line.
fn remedy(home: &str, target: &Target) -> String {
    let Target { namespace, kind, name } = target;
    format!(
        "have somebody who may decide there apply {{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, \
         metadata: {{name: {name}-from-{home}, namespace: {namespace}}}, spec: {{from: [{{group: mcpfleet.dev, kind: \
         McpServer, namespace: {home}}}], to: [{{group: {:?}, kind: {}, name: {name}}}]}}}}",
        kind.group(),
        kind.kind()
    )
}
