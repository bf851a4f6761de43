//! Upstreams that are programs: a child process where the runtime is no pod, else a workload behind `mcp-runtime bridge`.
//!
//! In: `spec.upstreams[].stdio`. Out: how the runtime reaches the program, and in a cluster what is to run for it. Secrets
//! of its environment go to the program alone: in a cluster the runtime's own pods never mount them.

use super::{
    Inputs, Placement, auth,
    report::{Reason, Scope, namespace_of},
};
use crate::v1alpha1::{self as api, McpServer, Stdio};
use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::ResourceExt;
use mcpfleet_config::{ConfigHash, EnvValue, EnvVar, Processes, UpstreamTransport};
use std::collections::BTreeSet;

/// Longest name of an object that a Service is called by, and that fits a label (RFC 1035).
const MAX_NAME: usize = 63;
/// Digits of a hash that make a name that was cut its own.
const HASH: usize = 8;

/// A program that runs in a workload of its own, behind `mcp-runtime bridge`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bridge {
    /// The upstream's name within the server.
    pub upstream: String,
    /// Name of its objects, at most 63 characters.
    pub name: String,
    /// Image that has the program.
    pub image: String,
    /// The program and its arguments; never empty.
    pub command: Vec<String>,
    /// Its environment, sorted by name.
    pub env: Vec<EnvVar>,
    /// Who shares a process.
    pub processes: Processes,
    /// Compute resources of its container; `None` stands for the default.
    pub resources: Option<ResourceRequirements>,
    /// Secrets for pulling the image.
    pub image_pull_secrets: Vec<String>,
}

/// Where a program's messages go, and in a cluster what runs it.
pub(super) struct Program {
    pub(super) transport: UpstreamTransport,
    pub(super) bridge: Option<Bridge>,
}

/// Compiles the program of upstream `upstream`; findings say what is refused.
pub(super) fn compile(
    scope: &mut Scope<'_>,
    at: &str,
    inputs: &Inputs<'_>,
    upstream: &str,
    stdio: &Stdio,
) -> Program {
    check_command(scope, at, &stdio.command);
    let env = environment(scope, &format!("{at}.env"), &stdio.env);
    let processes = match stdio.processes {
        api::Processes::Shared => Processes::Shared,
        api::Processes::PerSession => Processes::PerSession,
    };
    match inputs.placement {
        Placement::Standalone { .. } => {
            let command = stdio.command.clone();
            Program { transport: UpstreamTransport::Stdio { command, env, processes }, bridge: None }
        }
        Placement::Cluster => {
            check_image(scope, &format!("{at}.image"), &stdio.image);
            let bridge = bridge(inputs.server, upstream, stdio, env, processes);
            let url = endpoint(inputs.server, &bridge.name);
            let transport = UpstreamTransport::StreamableHttp { url, headers: Vec::new() };
            Program { transport, bridge: Some(bridge) }
        }
    }
}

fn bridge(
    server: &McpServer,
    upstream: &str,
    stdio: &Stdio,
    env: Vec<EnvVar>,
    processes: Processes,
) -> Bridge {
    let secrets: BTreeSet<&str> = stdio.image_pull_secrets.iter().map(|secret| secret.name.as_str()).collect();
    Bridge {
        upstream: upstream.to_owned(),
        name: object_name(&server.name_any(), upstream),
        image: stdio.image.clone(),
        command: stdio.command.clone(),
        env,
        processes,
        resources: stdio.resources.clone(),
        image_pull_secrets: secrets.into_iter().filter(|name| !name.is_empty()).map(Into::into).collect(),
    }
}

/// MCP endpoint of a bridge's Service, whose port is that of the scheme.
fn endpoint(server: &McpServer, name: &str) -> String {
    format!("http://{name}.{}.svc/mcp", namespace_of(server))
}

/// `<server>-<upstream>`; where that is too long, its beginning and a hash of the whole.
pub(super) fn object_name(server: &str, upstream: &str) -> String {
    let whole = format!("{server}-{upstream}");
    if whole.len() <= MAX_NAME {
        return whole;
    }
    // '/' is in no name, so no two pairs have one text.
    let hash = ConfigHash::of(format!("{server}/{upstream}").as_bytes());
    let beginning: String = whole.chars().take(MAX_NAME - HASH - 1).collect();
    let hash = hash.short().get(..HASH).unwrap_or_default();
    format!("{}-{hash}", beginning.trim_end_matches('-'))
}

fn check_command(scope: &mut Scope<'_>, at: &str, command: &[String]) {
    let field = format!("{at}.command");
    if command.first().is_none_or(|program| program.trim().is_empty()) {
        let remedy = "write the program and its arguments, such as [files-mcp, /data]";
        scope.error(&field, Reason::InvalidContent, "names no program", remedy);
    }
    if command.iter().any(|text| text.contains('\0')) {
        scope.error(&field, Reason::InvalidContent, "contains a NUL character", "remove it");
    }
}

fn check_image(scope: &mut Scope<'_>, field: &str, image: &str) {
    if image.is_empty() || image.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let remedy = "write a reference such as registry.example.com/files-mcp:1";
        scope.error(field, Reason::InvalidContent, format!("{image:?} is no image"), remedy);
    }
}

fn environment(scope: &mut Scope<'_>, field: &str, declared: &[api::EnvVar]) -> Vec<EnvVar> {
    let mut taken = BTreeSet::new();
    let mut env = Vec::new();
    for variable in declared {
        let at = format!("{field}[{}]", variable.name);
        if !is_variable_name(&variable.name) {
            let remedy = "use letters, digits, '_', '-' and '.', and begin with no digit";
            let message = format!("{:?} is no name of a variable", variable.name);
            scope.error(&format!("{at}.name"), Reason::InvalidName, message, remedy);
        }
        if !taken.insert(&variable.name) {
            scope.error(&format!("{at}.name"), Reason::DuplicateName, "stands twice", "set it once");
            continue;
        }
        env.push(EnvVar { name: variable.name.clone(), value: value(scope, &at, variable) });
    }
    env.sort_by(|a, b| a.name.cmp(&b.name));
    env
}

fn value(scope: &mut Scope<'_>, at: &str, variable: &api::EnvVar) -> EnvValue {
    match (&variable.value, &variable.value_from) {
        (literal, None) => {
            let literal = literal.clone().unwrap_or_default();
            if literal.contains('\0') {
                let message = "contains a NUL character";
                scope.error(&format!("{at}.value"), Reason::InvalidContent, message, "remove it");
            }
            EnvValue::Literal(literal)
        }
        (None, Some(from)) => {
            let field = format!("{at}.valueFrom.secretKeyRef");
            EnvValue::Credential(auth::credential(scope, &field, &from.secret_key_ref))
        }
        (Some(_), Some(_)) => {
            let message = "has value and valueFrom";
            scope.error(at, Reason::InvalidContent, message, "keep one of them");
            EnvValue::Literal(String::new())
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.len() <= 256
        && name.chars().all(allowed)
        && name.chars().next().is_some_and(|first| !first.is_ascii_digit())
}
