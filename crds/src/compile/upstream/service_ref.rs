//! Upstreams behind a Service.

use super::{circle::Neighbours, grant, headers, remote::http_url};
use crate::{
    compile::{
        Inputs, Placement, Sight,
        report::{Reason, Scope, namespace_of},
    },
    foreign::{Service, ServiceKind, Target, TargetKind},
    v1alpha1::ServiceRef,
};
use mcpfleet_config::Header;

/// Longest path.
const MAX_PATH: usize = 1_024;
/// Ports that a message names.
const MAX_NAMED: usize = 8;

/// Its URL and what requests carry; `at` is the field of the reference.
pub(super) fn target(
    scope: &mut Scope<'_>,
    at: &str,
    inputs: &Inputs<'_>,
    neighbours: &Neighbours<'_>,
    reference: &ServiceRef,
) -> Option<(String, Vec<Header>)> {
    let headers = headers(scope, at, inputs, reference.auth.as_ref());
    let namespace = reference.namespace.clone().unwrap_or_else(|| namespace_of(inputs.server));
    let target = Target::new(namespace, TargetKind::Service, &reference.name);
    let field = format!("{at}.name");
    if *inputs.placement != Placement::Cluster {
        let message = format!("{target} can be reached from inside its cluster only");
        scope.error(&field, Reason::NotSupported, message, "use remote with a URL that is reached from here");
        return None;
    }
    grant::permit(scope, at, inputs, &target)?;
    neighbours.refuse_circle(scope, &field, (&target, &target))?;
    let service = find(scope, &field, inputs, &target)?;
    let port = port(scope, &format!("{at}.port"), service, reference.port)?;
    let path = path(scope, &format!("{at}.path"), &reference.path)?;
    let url = format!("http://{}.{}.svc:{port}{path}", target.name, target.namespace);
    Some((http_url(scope, &field, &url)?.to_string(), headers))
}

fn find<'a>(scope: &mut Scope<'_>, field: &str, inputs: &Inputs<'a>, target: &Target) -> Option<&'a Service> {
    let Target { namespace, name, .. } = target;
    let services = inputs.surroundings.services;
    let Some(service) = services.iter().copied().find(|it| it.namespace == *namespace && it.name == *name)
    else {
        if *inputs.surroundings.sight == Sight::Manifests {
            let message = format!("Service {name} is in no manifest of namespace {namespace}");
            scope.warning(
                field,
                Reason::ServiceNotFound,
                message,
                "declare it, or see that the cluster has it",
            );
        } else {
            let message = format!("there is no Service {name} in namespace {namespace}");
            scope.error(field, Reason::ServiceNotFound, message, "create it, or correct the name");
        }
        return None;
    };
    if service.kind == ServiceKind::ExternalName {
        let message = format!("Service {name} is of type ExternalName, and so could lead anywhere");
        scope.error(field, Reason::NotSupported, message, "use remote with the URL that is meant");
        return None;
    }
    Some(service)
}

fn port(scope: &mut Scope<'_>, field: &str, service: &Service, wanted: i32) -> Option<u16> {
    let port = service.ports.iter().find(|port| i32::from(port.number) == wanted);
    if port.is_none() {
        let message = format!("Service {} has no TCP port {wanted}{}", service.name, offered(service));
        scope.error(field, Reason::PortNotFound, message, "name a port of the Service, not of its pods");
    }
    port.map(|port| port.number)
}

/// The ports that there are, for a message.
pub(super) fn offered(service: &Service) -> String {
    let named = service.ports.iter().take(MAX_NAMED).map(|port| match &port.name {
        Some(name) => format!("{} ({name})", port.number),
        None => port.number.to_string(),
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { String::new() } else { format!("; it has {}", named.join(", ")) }
}

fn path<'a>(scope: &mut Scope<'_>, field: &str, path: &'a str) -> Option<&'a str> {
    let usable = path.starts_with('/')
        && path.len() <= MAX_PATH
        && !path.contains(|c: char| c.is_whitespace() || c.is_control() || "{}?#".contains(c));
    if !usable {
        let message = format!("{path:?} is no path");
        let remedy = "begin it with '/', and use no blank, '{', '}', '?' or '#'";
        scope.error(field, Reason::InvalidUrl, message, remedy);
    }
    usable.then_some(path)
}
