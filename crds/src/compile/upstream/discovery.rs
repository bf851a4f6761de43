//! `spec.upstreamSelector`: objects of the server's namespace that become upstreams by their labels.
//!
//! Whoever labels an object is not whoever wrote the server: what cannot be served of what was found is a warning, and never
//! makes the server unready.

use super::{MAX_UPSTREAMS, circle::Neighbours, service_ref::offered};
use crate::{
    compile::{
        Inputs, Placement,
        report::{Collector, Finding, ObjectKey, Reason, Scope, namespace_of},
        select::{SelectorError, matcher},
    },
    foreign::{PATH, PORT, PREFIX, Service, Target},
    v1alpha1::{self, McpServer, Selection, ServerRef, ServiceRef, Upstream},
};
use kube::{ResourceExt, core::SelectorExt};
use mcpfleet_config as config;

/// Label of what belongs to an McpServer.
const SERVER_LABEL: &str = "mcpfleet.dev/server";
/// Objects that a message names.
const MAX_NAMED: usize = 8;
/// Port that is taken where a Service has several and no annotation.
const PORT_NAME: &str = "mcp";

/// The upstreams that labels find, as far as there is room beside the declared ones.
pub(super) fn compile_all(
    scope: &mut Scope<'_>,
    inputs: &Inputs<'_>,
    neighbours: &Neighbours<'_>,
) -> Vec<config::Upstream> {
    let room = MAX_UPSTREAMS.saturating_sub(inputs.server.spec.upstreams.len());
    let mut found = find(scope, inputs);
    if found.len() > room {
        let (total, over) = (found.len(), found.split_off(room));
        let mut names: Vec<&str> = over.iter().map(|it| it.upstream.name.as_str()).collect();
        names.truncate(MAX_NAMED);
        let message = format!(
            "finds {total} upstreams and there is room for {room}; left out are {}{}",
            names.join(", "),
            if over.len() > MAX_NAMED { " and others" } else { "" }
        );
        let remedy = "select fewer, or spread them over several servers";
        scope.warning("spec.upstreamSelector", Reason::TooMany, message, remedy);
    }
    found.iter().filter_map(|found| served(scope, inputs, neighbours, found)).collect()
}

/// An upstream as if its server had declared it, and where it comes from.
struct Found {
    at: String,
    upstream: Upstream,
}

/// Servers first, then Services, each by name.
fn find(scope: &mut Scope<'_>, inputs: &Inputs<'_>) -> Vec<Found> {
    let Some(wanted) = &inputs.server.spec.upstream_selector else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(selection) = &wanted.servers {
        let at = "spec.upstreamSelector.servers";
        let servers = report(scope, at, "McpServer", selection, servers(inputs.server, inputs.servers));
        found.extend(servers.into_iter().map(|server| of_server(at, server)));
    }
    if let Some(selection) = &wanted.services {
        let at = "spec.upstreamSelector.services";
        if *inputs.placement != Placement::Cluster {
            let message = "Services can be reached from inside their cluster only";
            scope.warning(
                at,
                Reason::NotSupported,
                message,
                "declare upstreams with remote to use them here",
            );
            return found;
        }
        let services = services(inputs.server, selection, inputs.surroundings.services);
        for service in report(scope, at, "Service", selection, services) {
            found.extend(of_service(scope, at, service).filter(|it| is_first(scope, &found, it)));
        }
    }
    found.retain(|it| is_undeclared(scope, inputs.server, it));
    found
}

/// What a selection takes, or why it takes nothing.
fn report<T>(
    scope: &mut Scope<'_>,
    at: &str,
    kind: &str,
    selection: &Selection,
    found: Result<Vec<T>, SelectorError>,
) -> Vec<T> {
    let field = format!("{at}.selector");
    let found = found.unwrap_or_else(|error| {
        let remedy = "use In, NotIn, Exists or DoesNotExist";
        scope.error(&field, Reason::InvalidSelector, error.to_string(), remedy);
        Vec::new()
    });
    if found.is_empty() && matcher(&selection.selector).is_ok() {
        let remedy = "label one in the server's namespace, or mend the selector";
        scope.warning(&field, Reason::NothingSelected, format!("selects no {kind}"), remedy);
    }
    found
}

/// The servers that `server` finds among these, by name; never itself.
pub(super) fn servers<'a>(
    server: &McpServer,
    among: &[&'a McpServer],
) -> Result<Vec<&'a McpServer>, SelectorError> {
    let wanted = server.spec.upstream_selector.as_ref().and_then(|wanted| wanted.servers.as_ref());
    let Some(selection) = wanted else { return Ok(Vec::new()) };
    let selector = matcher(&selection.selector)?;
    let (namespace, name) = (namespace_of(server), server.name_any());
    let mut found: Vec<&McpServer> = among
        .iter()
        .copied()
        .filter(|it| namespace_of(*it) == namespace && it.name_any() != name && selector.matches(it.labels()))
        .collect();
    found.sort_by_cached_key(|it| it.name_any());
    found.dedup_by_key(|it| it.name_any());
    Ok(found)
}

/// The Services that are selected, by name. Those of McpServers are found as McpServers.
fn services<'a>(
    server: &McpServer,
    selection: &Selection,
    among: &[&'a Service],
) -> Result<Vec<&'a Service>, SelectorError> {
    let selector = matcher(&selection.selector)?;
    let namespace = namespace_of(server);
    let mut found: Vec<&Service> = among
        .iter()
        .copied()
        .filter(|it| it.namespace == namespace && selector.matches(&it.labels))
        .filter(|it| !it.labels.contains_key(SERVER_LABEL))
        .collect();
    found.sort_by_key(|it| &it.name);
    found.dedup_by_key(|it| &it.name);
    Ok(found)
}

fn of_server(at: &str, server: &McpServer) -> Found {
    let name = server.name_any();
    let reference = ServerRef { name: name.clone(), ..ServerRef::default() };
    let upstream = upstream(&name, server.annotations().get(PREFIX));
    Found { at: format!("{at}[{name}]"), upstream: Upstream { server_ref: Some(reference), ..upstream } }
}

fn of_service(scope: &mut Scope<'_>, at: &str, service: &Service) -> Option<Found> {
    let at = format!("{at}[{}]", service.name);
    let Some(port) = port(service) else {
        let message = match service.hints.get(PORT) {
            Some(wanted) => format!("has no TCP port {wanted:?}, which its annotation {PORT} names"),
            None => format!("does not say which of its ports speaks MCP{}", offered(service)),
        };
        let remedy = format!("name one of them {PORT_NAME}, or by annotation {PORT}");
        scope.warning(&at, Reason::PortNotFound, message, &remedy);
        return None;
    };
    let path = service.hints.get(PATH).cloned().unwrap_or_else(v1alpha1::default_path);
    let reference = ServiceRef { name: service.name.clone(), namespace: None, port, path, auth: None };
    let upstream = upstream(&service.name, service.hints.get(PREFIX));
    Some(Found { at, upstream: Upstream { service_ref: Some(reference), ..upstream } })
}

/// The port that the annotation says, by number or name; or the one named `mcp`; or the only one.
fn port(service: &Service) -> Option<i32> {
    let named = |wanted: &str| service.ports.iter().find(|port| port.name.as_deref() == Some(wanted));
    let port = match (service.hints.get(PORT), service.ports.as_slice()) {
        (Some(wanted), ports) => {
            ports.iter().find(|port| port.number.to_string() == *wanted).or_else(|| named(wanted))
        }
        (None, [only]) => Some(only),
        (None, _) => named(PORT_NAME),
    };
    port.map(|port| port.number.into())
}

fn upstream(name: &str, prefix: Option<&String>) -> Upstream {
    let prefix = prefix.cloned().unwrap_or_else(|| format!("{}_", name.replace('-', "_")));
    Upstream { name: name.to_owned(), prefix, ..Upstream::default() }
}

/// A Service gives way to an McpServer of its name.
fn is_first(scope: &mut Scope<'_>, found: &[Found], service: &Found) -> bool {
    let taken = found.iter().any(|it| it.upstream.name == service.upstream.name);
    if taken {
        let message = "has the name of an McpServer that is found too";
        scope.warning(&service.at, Reason::DuplicateName, message, "select one of the two");
    }
    !taken
}

/// A declared upstream wins. That it is the same thing under the same name is how a found one is given settings.
fn is_undeclared(scope: &mut Scope<'_>, server: &McpServer, found: &Found) -> bool {
    let home = namespace_of(server);
    let declared = server.spec.upstreams.iter().find(|it| it.name == found.upstream.name);
    let other = declared.is_some_and(|it| Target::of(it, &home) != Target::of(&found.upstream, &home));
    if other {
        let message = "has the name of a declared upstream that is something else";
        scope.warning(&found.at, Reason::DuplicateName, message, "give the declared upstream another name");
    }
    declared.is_none()
}

/// The upstream, or warnings that say why not.
fn served(
    scope: &mut Scope<'_>,
    inputs: &Inputs<'_>,
    neighbours: &Neighbours<'_>,
    found: &Found,
) -> Option<config::Upstream> {
    let mut collector = Collector::default();
    let mut inner = collector.scope(ObjectKey::server(inputs.server));
    let compiled = super::compile(&mut inner, &found.at, inputs, neighbours, &found.upstream);
    for Finding { reason, message, remedy, .. } in collector.finish().findings {
        // The fields of the reference are nobody's: it is we who made it.
        scope.warning(&found.at, reason, message, &remedy);
    }
    compiled
}
