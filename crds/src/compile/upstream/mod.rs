//! Upstreams of a server: those that it declares, and those that its labels find.

mod circle;
mod discovery;
mod grant;
mod lifecycle;
mod remote;
mod server_ref;
mod service_ref;

pub use server_ref::endpoint;

pub(super) use remote::http_url;

use super::{
    Inputs, access,
    auth::{self, CallerTokens, Toward},
    report::{Collector, ObjectKey, Reason, Scope},
    stdio, upstream_tools,
};
use crate::v1alpha1::{HttpAuth, Upstream};
use circle::Neighbours;
use mcpfleet_config::{self as config, Header, UpstreamTransport};
use std::collections::BTreeSet;

/// Most upstreams of a server, found ones included.
const MAX_UPSTREAMS: usize = 64;

/// The server's upstreams, sorted by name; a refused one is left out.
pub(super) fn compile_all(inputs: &Inputs<'_>, collector: &mut Collector) -> Vec<config::Upstream> {
    let neighbours = Neighbours::of(inputs);
    let mut upstreams = declared(inputs, &neighbours, collector);
    let mut scope = collector.scope(ObjectKey::server(inputs.server));
    upstreams.extend(discovery::compile_all(&mut scope, inputs, &neighbours));
    upstreams.sort_by(|a, b| a.name.cmp(&b.name));
    upstreams
}

fn declared(
    inputs: &Inputs<'_>,
    neighbours: &Neighbours<'_>,
    collector: &mut Collector,
) -> Vec<config::Upstream> {
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
        upstreams.extend(compile(&mut scope, &at, inputs, neighbours, upstream));
    }
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
        (Some(remote), None, None, None) => remote::target(scope, &format!("{at}.remote"), inputs, remote)?,
        (None, Some(reference), None, None) => {
            server_ref::target(scope, &format!("{at}.serverRef"), inputs, neighbours, reference)?
        }
        (None, None, Some(reference), None) => {
            service_ref::target(scope, &format!("{at}.serviceRef"), inputs, neighbours, reference)?
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

/// What requests to the target at `at` carry.
fn headers(scope: &mut Scope<'_>, at: &str, inputs: &Inputs<'_>, auth: Option<&HttpAuth>) -> Vec<Header> {
    let tokens =
        if inputs.server.spec.auth.oauth.is_empty() { CallerTokens::None } else { CallerTokens::Some };
    auth::headers(scope, &format!("{at}.auth"), auth, Toward::Upstream(tokens))
}
