//! Upstreams of a server, and the cycles that references can make.

use super::{
    Inputs, Placement, access,
    auth::{self, CallerTokens, Toward},
    report::{Collector, ObjectKey, Reason, Scope, namespace_of},
    stdio, upstream_tools,
};
use crate::v1alpha1::{McpServer, Remote, ServerGroup, ServerRef, Upstream};
use kube::ResourceExt;
use mcpfleet_config::{self as config, Header, UpstreamTransport};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// The server's upstreams, sorted by name; a refused one is left out.
pub(super) fn compile_all(inputs: &Inputs<'_>, collector: &mut Collector) -> Vec<config::Upstream> {
    let neighbours = Neighbours::of(inputs);
    let mut taken = BTreeSet::new();
    let mut upstreams = Vec::new();
    for upstream in &inputs.server.spec.upstreams {
        let mut scope = collector.scope(ObjectKey::server(inputs.server));
        let at = format!("spec.upstreams[{}]", upstream.name);
        if !taken.insert(&upstream.name) {
            scope.error(
                &format!("{at}.name"),
                Reason::DuplicateName,
                "stands twice",
                "give each upstream a name of its own",
            );
            continue;
        }
        upstreams.extend(compile(&mut scope, &at, inputs, &neighbours, upstream));
    }
    upstreams.sort_by(|a, b| a.name.cmp(&b.name));
    upstreams
}

fn compile(
    scope: &mut Scope<'_>,
    at: &str,
    inputs: &Inputs<'_>,
    neighbours: &Neighbours<'_>,
    upstream: &Upstream,
) -> Option<config::Upstream> {
    let prefix = &upstream.prefix;
    if prefix.len() > 64
        || prefix.chars().any(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
    {
        let message = format!("{prefix:?} cannot start a tool name");
        let remedy = "use at most 64 letters, digits, '_', '-' or '.'";
        scope.error(&format!("{at}.prefix"), Reason::InvalidName, message, remedy);
    }
    let timeout_ms = scope.millis(&format!("{at}.timeout"), &upstream.timeout);
    let transport = transport(scope, at, inputs, neighbours, upstream)?;
    let compiled = config::Upstream {
        name: upstream.name.clone(),
        prefix: prefix.clone(),
        transport,
        timeout_ms,
        scopes: access::scopes(scope, &format!("{at}.scopes"), &upstream.scopes),
        tools: upstream_tools::compile(scope, &format!("{at}.tools"), &upstream.tools),
    };
    scope.clean().then_some(compiled)
}

fn transport(
    scope: &mut Scope<'_>,
    at: &str,
    inputs: &Inputs<'_>,
    neighbours: &Neighbours<'_>,
    upstream: &Upstream,
) -> Option<UpstreamTransport> {
    let set = (&upstream.remote, &upstream.server_ref, &upstream.service_ref, &upstream.stdio);
    let (url, headers) = match set {
        (Some(remote), None, None, None) => remote_target(scope, at, inputs, remote)?,
        (None, Some(reference), None, None) => {
            let at = format!("{at}.serverRef");
            server_target(scope, &at, inputs, neighbours, reference)?
        }
        (None, None, Some(_), None) => {
            not_yet(scope, &format!("{at}.serviceRef"), "a reference to a Service");
            return None;
        }
        (None, None, None, Some(program)) => {
            let at = format!("{at}.stdio");
            return Some(stdio::transport(scope, &at, inputs, &upstream.name, program));
        }
        _ => {
            scope.error(
                at,
                Reason::BackendMissing,
                "needs exactly one of remote, serverRef, serviceRef and stdio",
                "set one of them",
            );
            return None;
        }
    };
    Some(UpstreamTransport::StreamableHttp { url, headers })
}

fn not_yet(scope: &mut Scope<'_>, field: &str, what: &str) {
    scope.error(field, Reason::NotSupported, format!("{what} cannot be used yet"), "use remote");
}

fn server_target(
    scope: &mut Scope<'_>,
    at: &str,
    inputs: &Inputs<'_>,
    neighbours: &Neighbours<'_>,
    reference: &ServerRef,
) -> Option<(String, Vec<Header>)> {
    let elsewhere = reference.namespace.as_ref().is_some_and(|it| *it != namespace_of(inputs.server));
    if elsewhere || reference.group != ServerGroup::Mcpfleet {
        not_yet(scope, at, "an object of another namespace or group");
        return None;
    }
    let field = format!("{at}.auth");
    let headers =
        auth::headers(scope, &field, reference.auth.as_ref(), Toward::Upstream(caller_tokens(inputs)));
    let url = server_url(scope, &format!("{at}.name"), inputs, neighbours, reference)?;
    Some((url, headers))
}

fn caller_tokens(inputs: &Inputs<'_>) -> CallerTokens {
    if inputs.server.spec.auth.oauth.is_empty() { CallerTokens::None } else { CallerTokens::Some }
}

fn remote_target(
    scope: &mut Scope<'_>,
    at: &str,
    inputs: &Inputs<'_>,
    remote: &Remote,
) -> Option<(String, Vec<Header>)> {
    let field = format!("{at}.remote.auth");
    let headers = auth::headers(scope, &field, remote.auth.as_ref(), Toward::Upstream(caller_tokens(inputs)));
    let url = http_url(scope, &format!("{at}.remote.url"), &remote.url)?;
    if url.host_str().is_some_and(|host| is_own_service(inputs, host)) {
        let message = format!("{:?} is this server itself, so that lists would never end", remote.url);
        scope.error(&format!("{at}.remote.url"), Reason::Cycle, message, "remove the upstream");
    }
    Some((url.to_string(), headers))
}

fn is_own_service(inputs: &Inputs<'_>, host: &str) -> bool {
    let (name, namespace) = (inputs.server.name_any(), namespace_of(inputs.server));
    let rest = host.strip_prefix(&name).unwrap_or("other");
    let qualified = |suffix: &str| rest == format!(".{namespace}{suffix}");
    *inputs.placement == Placement::Cluster
        && (rest.is_empty() || ["", ".svc", ".svc.cluster.local"].into_iter().any(qualified))
}

/// An absolute http(s) URL without user information or fragment; anything else is reported.
pub(super) fn http_url(scope: &mut Scope<'_>, field: &str, text: &str) -> Option<Url> {
    let refusal = match Url::parse(text) {
        Err(error) => error.to_string(),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => format!("has scheme {}", url.scheme()),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => "carries a password".into(),
        Ok(url) if url.fragment().is_some() => "has a fragment".into(),
        Ok(url) => return Some(url),
    };
    let message = format!("{text:?} is not usable: {refusal}");
    scope.error(
        field,
        Reason::InvalidUrl,
        message,
        "write an absolute http or https URL; credentials go into auth",
    );
    None
}

fn server_url(
    scope: &mut Scope<'_>,
    field: &str,
    inputs: &Inputs<'_>,
    neighbours: &Neighbours<'_>,
    reference: &ServerRef,
) -> Option<String> {
    let name = reference.name.as_str();
    let namespace = namespace_of(inputs.server);
    let Some(target) = neighbours.by_name.get(name) else {
        let message = format!("there is no McpServer {name} in namespace {namespace}");
        scope.error(field, Reason::ServerNotFound, message, "create it, or correct the name");
        return None;
    };
    if neighbours.leading_back.contains(name) {
        let message = format!("{name} leads back to this server, so that lists would never end");
        scope.error(field, Reason::Cycle, message, "remove one of the references of the circle");
        return None;
    }
    if target.spec.tls.is_some() {
        let message =
            format!("{name} serves TLS with a certificate that this server has no way to verify yet");
        scope.error(
            field,
            Reason::NotSupported,
            message,
            "use remote with a publicly trusted name, or serve it without tls",
        );
        return None;
    }
    if target.spec.auth.anonymous.is_none() && reference.auth.is_none() {
        let message = format!("{name} takes no anonymous callers, and the reference carries no credential");
        scope.error(
            field,
            Reason::AuthMissing,
            message,
            "set serverRef.auth, or let it take anonymous callers too",
        );
        return None;
    }
    Some(match inputs.placement {
        Placement::Cluster => endpoint(target),
        Placement::Standalone { base_url } => format!("{base_url}/{namespace}/{name}/mcp"),
    })
}

/// The servers of one namespace, looked at once for all upstreams of one of them.
struct Neighbours<'a> {
    by_name: BTreeMap<String, &'a McpServer>,
    /// Those from which following `serverRef`s arrives at the server that is compiled; itself among them.
    leading_back: BTreeSet<String>,
}

impl<'a> Neighbours<'a> {
    fn of(inputs: &Inputs<'a>) -> Self {
        let namespace = namespace_of(inputs.server);
        let by_name: BTreeMap<_, _> = inputs
            .servers
            .iter()
            .filter(|server| namespace_of(**server) == namespace)
            .map(|server| (server.name_any(), *server))
            .collect();
        let mut referrers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, server) in &by_name {
            for target in server.spec.upstreams.iter().filter_map(|upstream| upstream.server_ref.as_ref()) {
                referrers.entry(&target.name).or_default().push(name);
            }
        }
        let own = inputs.server.name_any();
        let mut leading_back = BTreeSet::new();
        let mut open = vec![own.as_str()];
        while let Some(name) = open.pop() {
            if leading_back.insert(name.to_owned()) {
                open.extend(referrers.get(name).into_iter().flatten());
            }
        }
        Self { by_name, leading_back }
    }
}

/// MCP endpoint of a server's Service.
pub fn endpoint(server: &McpServer) -> String {
    // The ports of SERVICE_PORTS are the schemes' own, and so stay out of the URL.
    let scheme = if server.spec.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}.{}.svc/mcp", server.name_any(), namespace_of(server))
}
