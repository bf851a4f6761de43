//! The server's own fields.

use super::{
    access, auth,
    report::{Collector, ObjectKey, Reason, Scope, namespace_of},
    store,
};
use crate::v1alpha1::{McpServer, Tls};
use kube::ResourceExt;
use mcpfleet_config::{Access, Admission, Listener, ServerName, Store, TlsListener};

/// What a server is without its tools.
pub(super) struct Shell {
    pub(super) server: ServerName,
    pub(super) listener: Listener,
    pub(super) access: Access,
    pub(super) admission: Admission,
    pub(super) store: Option<Store>,
}

/// `None` when the server cannot serve anything; the findings say why.
pub(super) fn compile(server: &McpServer, collector: &mut Collector) -> Option<Shell> {
    let mut scope = collector.scope(ObjectKey::server(server));
    let shell = Shell {
        server: name(&mut scope, server),
        listener: listener(&mut scope, server),
        access: access::compile(&mut scope, server),
        admission: admission(&mut scope, server),
        store: store::compile(&mut scope, server),
    };
    let spec = &server.spec;
    let upstreams = !spec.upstreams.is_empty() || spec.upstream_selector.is_some();
    let offers = upstreams || !(spec.prompts.is_empty() && spec.resources.is_empty());
    if spec.tools.is_none() && spec.models.is_none() && !offers {
        scope.error(
            "spec",
            Reason::NothingSelected,
            "a server needs something to serve",
            "set tools.selector, upstreams, upstreamSelector, models.selector, prompts or resources",
        );
    }
    scope.clean().then_some(shell)
}

fn name(scope: &mut Scope<'_>, server: &McpServer) -> ServerName {
    let name = server.name_any();
    let valid = (1..=52).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !valid {
        let message = format!("{name:?} cannot name a Service");
        let remedy = "start with a lower-case letter, then letters, digits and '-', at most 52 characters";
        scope.error("metadata.name", Reason::InvalidName, message, remedy);
    }
    ServerName { namespace: namespace_of(server), name }
}

fn listener(scope: &mut Scope<'_>, server: &McpServer) -> Listener {
    let spec = &server.spec;
    for (index, origin) in spec.allowed_origins.iter().enumerate() {
        let serialised = url::Url::parse(origin).map(|url| url.origin().ascii_serialization());
        if serialised.as_deref() != Ok(origin.as_str()) {
            let field = format!("spec.allowedOrigins[{index}]");
            let message = format!("{origin:?} is no origin");
            scope.error(
                &field,
                Reason::InvalidUrl,
                message,
                "write scheme, host and port only, such as https://app.example.com",
            );
        }
    }
    let mut allowed_origins = spec.allowed_origins.clone();
    allowed_origins.sort();
    allowed_origins.dedup();
    let tls = spec.tls.as_ref().map(|tls| tls_listener(scope, server, tls));
    Listener { tls, allowed_origins }
}

fn tls_listener(scope: &mut Scope<'_>, server: &McpServer, tls: &Tls) -> TlsListener {
    auth::secret_name(scope, "spec.tls.secretRef.name", &tls.secret_ref.name);
    let default = || format!("{}.{}.svc", server.name_any(), namespace_of(server));
    let server_name = tls.server_name.clone().unwrap_or_else(default);
    let parsed = url::Host::parse(&server_name);
    if !parsed.is_ok_and(|host| matches!(host, url::Host::Domain(name) if name == server_name)) {
        let message = format!("{server_name:?} is no DNS name");
        let remedy = "write the name that clients connect with, in lower case";
        scope.error("spec.tls.serverName", Reason::InvalidName, message, remedy);
    }
    TlsListener { secret: tls.secret_ref.name.clone(), server_name }
}

fn admission(scope: &mut Scope<'_>, server: &McpServer) -> Admission {
    let wanted = &server.spec.admission;
    Admission {
        concurrency: bounded(scope, "spec.admission.concurrency", wanted.concurrency, 1, 65_536),
        queue_length: bounded(scope, "spec.admission.queueLength", wanted.queue_length, 0, 1_000_000),
        queue_timeout_ms: scope.millis("spec.admission.queueTimeout", &wanted.queue_timeout),
        max_streams: bounded(scope, "spec.admission.maxStreams", wanted.max_streams, 0, 65_536),
    }
}

pub(super) fn bounded(scope: &mut Scope<'_>, field: &str, value: i32, min: u32, max: u32) -> u32 {
    match u32::try_from(value) {
        Ok(value) if (min..=max).contains(&value) => value,
        _ => {
            scope.error(field, Reason::OutOfRange, format!("is {value}"), &format!("use {min} to {max}"));
            min
        }
    }
}
