//! Upstreams at a URL.

use super::headers;
use crate::{
    compile::{
        Inputs, Placement,
        report::{Reason, Scope, namespace_of},
    },
    v1alpha1::Remote,
};
use kube::ResourceExt;
use mcpfleet_config::Header;
use url::Url;

/// Its URL and what requests carry; `at` is the field of the reference.
pub(super) fn target(
    scope: &mut Scope<'_>,
    at: &str,
    inputs: &Inputs<'_>,
    remote: &Remote,
) -> Option<(String, Vec<Header>)> {
    let headers = headers(scope, at, inputs, remote.auth.as_ref());
    let field = format!("{at}.url");
    let url = http_url(scope, &field, &remote.url)?;
    if url.host_str().is_some_and(|host| is_own_service(inputs, host)) {
        own_service(scope, &field, &format!("{:?}", remote.url));
    }
    Some((url.to_string(), headers))
}

/// Reports an address that leads to the server itself.
pub(super) fn own_service(scope: &mut Scope<'_>, field: &str, what: &str) {
    let message = format!("{what} is this server itself, so that lists would never end");
    scope.error(field, Reason::Cycle, message, "remove the upstream");
}

/// Whether a host is the Service of the server that is compiled.
pub(super) fn is_own_service(inputs: &Inputs<'_>, host: &str) -> bool {
    let (name, namespace) = (inputs.server.name_any(), namespace_of(inputs.server));
    // A dot at the end is the same name.
    let host = host.trim_end_matches('.');
    let rest = host.strip_prefix(&name).unwrap_or("other");
    let qualified = |suffix: &str| rest == format!(".{namespace}{suffix}");
    *inputs.placement == Placement::Cluster
        && (rest.is_empty() || ["", ".svc", ".svc.cluster.local"].into_iter().any(qualified))
}

/// An absolute http(s) URL without user information or fragment; anything else is reported.
pub(in crate::compile) fn http_url(scope: &mut Scope<'_>, field: &str, text: &str) -> Option<Url> {
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
