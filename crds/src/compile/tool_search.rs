//! `spec.toolSearch`, and what long lists without it cost.

use super::{
    Inputs,
    report::{Collector, ObjectKey, Reason, Scope, namespace_of},
};
use crate::{
    foreign::{Target, TargetKind},
    v1alpha1::{Embeddings, McpServer},
};
use kube::ResourceExt;
use mcpfleet_config::{self as config, MAX_RESULTS, Provider, is_reserved};

/// As many tools of its own as a server may list before it is told of search: with more, models choose worse, and each
/// request of theirs carries all definitions.
const MANY: usize = 40;
/// Longest wait for the vector of a query, in ms.
const MAX_TIMEOUT: u64 = 60_000;

/// How the server's tools are found; `None`: they are all listed. Takes names that search needs away from `tools`.
pub(super) fn compile(
    inputs: &Inputs<'_>,
    tools: &mut Vec<config::Tool>,
    providers: &[Provider],
    collector: &mut Collector,
) -> Option<config::ToolSearch> {
    let key = ObjectKey::server(inputs.server);
    warn_of_hidden(&mut collector.scope(key.clone()), inputs);
    let Some(wanted) = &inputs.server.spec.tool_search else {
        suggest(&mut collector.scope(key), tools.len());
        return None;
    };
    for tool in tools.iter().filter(|tool| is_reserved(&tool.name)) {
        let tool_key = ObjectKey { kind: super::Kind::McpTool, name: tool.object.clone(), ..key.clone() };
        let message = format!("tool name {:?} belongs to spec.toolSearch of {key}", tool.name);
        let remedy = "set another spec.name";
        collector.scope(tool_key.clone()).error("spec.name", Reason::DuplicateName, message, remedy);
        collector.verdict(tool_key, super::Verdict::Refused);
    }
    tools.retain(|tool| !is_reserved(&tool.name));
    let mut scope = collector.scope(key);
    let mut always = wanted.always.clone();
    always.sort();
    always.dedup();
    Some(config::ToolSearch {
        above: bounded(&mut scope, "spec.toolSearch.above", wanted.above, (0, 10_000)),
        always: bounded_patterns(&mut scope, always),
        results: bounded(&mut scope, "spec.toolSearch.results", wanted.results, (1, MAX_RESULTS)),
        embeddings: wanted.embeddings.as_ref().and_then(|model| embeddings(&mut scope, model, providers)),
    })
}

/// An upstream that searches by itself lists little, and nothing but that can be merged, renamed or found here.
fn warn_of_hidden(scope: &mut Scope<'_>, inputs: &Inputs<'_>) {
    let own = namespace_of(inputs.server);
    for upstream in &inputs.server.spec.upstreams {
        // Of another namespace nothing is told here: its consent is asked elsewhere.
        let target = Target::of(upstream, &own);
        let Some(target) = target.filter(|it| it.kind == TargetKind::Server && it.namespace == own) else {
            continue;
        };
        let is_meant =
            |server: &&&McpServer| server.name_any() == target.name && namespace_of(**server) == own;
        if inputs.servers.iter().find(is_meant).is_some_and(|server| server.spec.tool_search.is_some()) {
            let field = format!("spec.upstreams[{}].serverRef.name", upstream.name);
            let message = "has toolSearch itself, so that only its short list is served here".to_owned();
            let remedy = "move toolSearch from there to this server, which clients connect to";
            scope.warning(&field, Reason::NotSupported, message, remedy);
        }
    }
}

fn suggest(scope: &mut Scope<'_>, tools: usize) {
    if tools > MANY {
        let message = format!(
            "is absent, and each client gets the definitions of {tools} tools: models choose worse above {MANY}"
        );
        scope.warning(
            "spec.toolSearch",
            Reason::TooManyTools,
            message,
            "set toolSearch: {}, which lists a way to find them instead",
        );
    }
}

fn bounded(scope: &mut Scope<'_>, field: &str, value: i32, (min, max): (u32, u32)) -> u32 {
    match u32::try_from(value) {
        Ok(value) if (min..=max).contains(&value) => value,
        _ => {
            scope.error(field, Reason::OutOfRange, format!("is {value}"), &format!("use {min} to {max}"));
            min
        }
    }
}

fn bounded_patterns(scope: &mut Scope<'_>, patterns: Vec<String>) -> Vec<String> {
    let fits = |pattern: &String| (1..=128).contains(&pattern.len());
    if patterns.len() <= 64 && patterns.iter().all(fits) {
        return patterns;
    }
    let message = format!("has {} patterns, or one that is empty or longer than 128 bytes", patterns.len());
    scope.error("spec.toolSearch.always", Reason::OutOfRange, message, "use at most 64 names of tools");
    patterns.into_iter().filter(fits).take(64).collect()
}

/// Without its model search goes by words alone, which serves.
fn embeddings(
    scope: &mut Scope<'_>,
    wanted: &Embeddings,
    providers: &[Provider],
) -> Option<config::Embeddings> {
    let timeout_ms = scope.millis("spec.toolSearch.embeddings.timeout", &wanted.timeout);
    if timeout_ms > MAX_TIMEOUT {
        let field = "spec.toolSearch.embeddings.timeout";
        scope.error(field, Reason::OutOfRange, format!("is {timeout_ms} ms"), "use 1ms to 1m");
        return None;
    }
    if providers.iter().any(|provider| provider.models.contains(&wanted.model)) {
        return Some(config::Embeddings { model: wanted.model.clone(), timeout_ms });
    }
    let message = format!("{:?} is no model of any ProviderRoute that this server serves", wanted.model);
    let remedy = "add it to a route that spec.models selects, or leave toolSearch.embeddings out";
    scope.error("spec.toolSearch.embeddings.model", Reason::ModelNotFound, message, remedy);
    None
}
