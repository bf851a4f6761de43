//! From what users wrote to what a runtime serves: pure, total and deterministic.
//!
//! In: one server, everything in its namespace that may belong to it, and what its references name. Out: the
//! configuration (hot), what its pods need (a change there is a rollout), and a report of what was refused or odd,
//! per object and field. A bad object costs its author a finding and nobody else anything: it is left out, the rest serves.
//! The same input gives the same bytes in whatever order it comes. The operator, `serve -f` and `lint` all
//! call this one function, so a laptop gives a resource the same meaning as a cluster.

mod access;
mod asynchronous;
mod auth;
mod autoscaling;
mod guidance;
mod offer;
mod prompt;
mod registry;
mod report;
mod resource;
mod route;
mod select;
mod server;
mod stdio;
mod store;
mod surroundings;
mod tool;
mod tool_names;
mod tool_search;
mod upstream;
mod upstream_tools;

#[cfg(test)]
mod tests;

pub use autoscaling::Scaling;
pub use report::{Finding, Kind, ObjectKey, Reason, Report, Severity, Verdict};
pub use select::{SelectorError, selects};
pub use stdio::Bridge;
pub use surroundings::{Sight, Surroundings};
pub use upstream::endpoint;

use crate::v1alpha1::{McpServer, McpTool, ProviderRoute};
use mcpfleet_config::{Encoded, MAX_BYTES, RuntimeConfig};
use report::Collector;
use std::collections::BTreeSet;

/// Port of a server's Service for plain HTTP, and with `spec.tls`.
pub const SERVICE_PORTS: (u16, u16) = (80, 443);

/// What a configuration is compiled from. Objects of other namespaces are passed over, but for what references name.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The server.
    pub server: &'a McpServer,
    /// Tools that its selector is applied to.
    pub tools: &'a [&'a McpTool],
    /// Routes that its selector is applied to.
    pub routes: &'a [&'a ProviderRoute],
    /// Servers that references lead to, directly or through others, and those that `upstreamSelector` and `registry` are
    /// applied to; of every namespace. May hold the server itself.
    pub servers: &'a [&'a McpServer],
    /// What else references can name.
    pub surroundings: Surroundings<'a>,
    /// Where it will run.
    pub placement: &'a Placement,
}

/// Where a server runs: what its neighbours' URLs look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Each server has a Service.
    Cluster,
    /// All servers share one process at `base_url`, such as `http://127.0.0.1:8080`.
    Standalone {
        /// Scheme, host and port.
        base_url: String,
    },
}

/// What a server compiles to.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What can change without touching a pod.
    pub config: RuntimeConfig,
    /// `config` as bytes and hash.
    pub encoded: Encoded,
    /// What shapes the pods.
    pub pod: PodNeeds,
    /// Upstreams that run in workloads of their own, sorted by name; none where the runtime starts them itself.
    pub bridges: Vec<Bridge>,
    /// How it is scaled; absent when it is not, or cannot be.
    pub scaling: Option<Scaling>,
    /// What was refused or odd.
    pub report: Report,
}

/// What pods must be given from outside the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodNeeds {
    /// Secrets whose keys are mounted for tools, upstreams and providers.
    pub credentials: BTreeSet<String>,
    /// Secret with the serving certificate.
    pub tls_secret: Option<String>,
}

/// Why nothing can be served at all, not even an empty server.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .report.errors().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Refused {
    /// The findings; at least one is an error on the server.
    pub report: Report,
}

/// Compiles one server.
///
/// # Errors
/// The server's own fields leave nothing to serve (no `auth`, bounds out of range), or the result does not
/// fit. Errors of tools, routes and upstreams never come here: they are left out and reported.
pub fn compile(inputs: &Inputs<'_>) -> Result<Compiled, Refused> {
    let mut collector = Collector::default();
    let config = assemble(inputs, &mut collector);
    let scaling = autoscaling::compile(inputs.server, &mut collector);
    let mut report = collector.finish();
    let Some(config) = config else { return Err(Refused { report }) };
    let encoded = match encode(inputs, &config) {
        Ok(encoded) => encoded,
        Err(finding) => {
            report.push(*finding);
            return Err(Refused { report });
        }
    };
    let pod = PodNeeds {
        credentials: config.secrets().into_iter().map(ToOwned::to_owned).collect(),
        tls_secret: config.listener.tls.as_ref().map(|tls| tls.secret.clone()),
    };
    let bridges = stdio::bridges(inputs, &config.upstreams);
    Ok(Compiled { config, encoded, pod, bridges, scaling, report })
}

/// Checks one tool by itself, without a server.
pub fn check_tool(tool: &McpTool) -> Report {
    let mut collector = Collector::default();
    tool::compile(tool, &mut collector);
    collector.finish()
}

/// Checks one route by itself, without a server.
pub fn check_route(route: &ProviderRoute) -> Report {
    let mut collector = Collector::default();
    route::compile(route, &mut collector);
    collector.finish()
}

fn assemble(inputs: &Inputs<'_>, collector: &mut Collector) -> Option<RuntimeConfig> {
    let shell = server::compile(inputs.server, collector);
    let offers = offer::compile_all(inputs, collector);
    let mut tools = tool::select_and_compile(inputs, offers.bytes, collector);
    let upstreams = upstream::compile_all(inputs, collector);
    let providers = route::select_and_compile(inputs, collector);
    let tool_search = tool_search::compile(inputs, &mut tools, &providers, collector);
    let neighbours = registry::compile(inputs, collector);
    let server::Shell { server, listener, access, admission, store } = shell?;
    let mut config = RuntimeConfig {
        format: 1,
        server,
        listener,
        access,
        admission,
        tools,
        prompts: offers.prompts,
        resources: offers.resources,
        upstreams,
        providers,
        serves_models: inputs.server.spec.models.is_some(),
        tool_search,
        neighbours,
        store,
    };
    config.format = config.oldest_format();
    access::check_reachable(&mut collector.scope(ObjectKey::server(inputs.server)), &config);
    Some(config)
}

fn encode(inputs: &Inputs<'_>, config: &RuntimeConfig) -> Result<Encoded, Box<Finding>> {
    let refuse = |field: &str, reason, message: String, remedy: &str| {
        Box::new(Finding::error(ObjectKey::server(inputs.server), field, reason, message, remedy))
    };
    config.validate().map_err(|invalid| {
        refuse("spec", Reason::Internal, invalid.to_string(), "report this with the objects that cause it")
    })?;
    let encoded = config.encode().map_err(|error| {
        refuse("spec", Reason::Internal, error.to_string(), "report this with the objects that cause it")
    })?;
    if encoded.json.len() <= MAX_BYTES {
        return Ok(encoded);
    }
    let size = |tool: &mcpfleet_config::Tool| serde_json::to_vec(tool).map_or(0, |bytes| bytes.len());
    let largest = config.tools.iter().max_by_key(|tool| size(tool));
    let message = format!(
        "the configuration has {} bytes and {MAX_BYTES} fit; the largest part is {}",
        encoded.json.len(),
        largest.map_or_else(|| "no tool".into(), |t| format!("McpTool {} with {} bytes", t.object, size(t))),
    );
    Err(refuse(
        "spec.tools.selector",
        Reason::TooLarge,
        message,
        "shorten schemas, or split the server in two",
    ))
}
