//! Upstreams that are programs: a child process where the runtime is no pod, else a workload behind `mcp-runtime bridge`.
//!
//! In: `spec.upstreams[].stdio`. Out: how the runtime reaches the program, and in a cluster what is to run for it. Secrets
//! of its environment go to the program alone: in a cluster the runtime's own pods never mount them.

use super::{
    Inputs, Placement, auth,
    report::{Reason, Scope, namespace_of},
};
use crate::v1alpha1::{self as api, McpServer, SecretKeyRef, Stdio};
use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::ResourceExt;
use mcpfleet_config::{ConfigHash, CredentialRef, EnvValue, EnvVar, Processes, Upstream, UpstreamTransport};
use std::collections::{BTreeMap, BTreeSet};

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

/// How the runtime reaches the program of upstream `upstream`; findings say what is refused.
pub(super) fn transport(
    scope: &mut Scope<'_>,
    at: &str,
    inputs: &Inputs<'_>,
    upstream: &str,
    stdio: &Stdio,
) -> UpstreamTransport {
    check_command(scope, &format!("{at}.command"), &stdio.command);
    for variable in &stdio.env {
        check_variable(scope, &format!("{at}.env[{}]", variable.name), &stdio.env, variable);
    }
    match inputs.placement {
        Placement::Standalone { .. } => {
            let command = stdio.command.clone();
            let (env, processes) = (environment(stdio), processes(stdio));
            UpstreamTransport::Stdio { command, env, processes }
        }
        Placement::Cluster => {
            check_image(scope, &format!("{at}.image"), &stdio.image);
            let url = endpoint(inputs.server, &object_name(&inputs.server.name_any(), upstream));
            UpstreamTransport::StreamableHttp { url, headers: Vec::new() }
        }
    }
}

/// What is to run for those of the `compiled` upstreams that are programs, sorted by name; nothing where the runtime
/// starts them itself.
pub(super) fn bridges(inputs: &Inputs<'_>, compiled: &[Upstream]) -> Vec<Bridge> {
    let server = inputs.server;
    let mut by_name = BTreeMap::new();
    for upstream in &server.spec.upstreams {
        let Some(stdio) = &upstream.stdio else { continue };
        let name = object_name(&server.name_any(), &upstream.name);
        // One that was refused is not there, or another has its name.
        let url = endpoint(server, &name);
        if compiled.iter().any(|it| it.name == upstream.name && leads_to(it, &url)) {
            // The first of a name is the one that counts.
            by_name.entry(&upstream.name).or_insert_with(|| bridge(&upstream.name, name, stdio));
        }
    }
    by_name.into_values().collect()
}

fn leads_to(upstream: &Upstream, to: &str) -> bool {
    matches!(&upstream.transport, UpstreamTransport::StreamableHttp { url, .. } if url == to)
}

fn bridge(upstream: &str, name: String, stdio: &Stdio) -> Bridge {
    let secrets: BTreeSet<&str> =
        stdio.image_pull_secrets.iter().map(|secret| secret.name.as_str()).collect();
    Bridge {
        upstream: upstream.to_owned(),
        name,
        image: stdio.image.clone(),
        command: stdio.command.clone(),
        env: environment(stdio),
        processes: processes(stdio),
        resources: stdio.resources.clone(),
        image_pull_secrets: secrets.into_iter().filter(|name| !name.is_empty()).map(Into::into).collect(),
    }
}

/// MCP endpoint of a bridge's Service, whose port is that of the scheme.
fn endpoint(server: &McpServer, name: &str) -> String {
    format!("http://{name}.{}.svc/mcp", namespace_of(server))
}

/// `<server>-<upstream>`; where that is too long, or could be that of another pair, its beginning and a hash of the whole.
pub(super) fn object_name(server: &str, upstream: &str) -> String {
    let whole = format!("{server}-{upstream}");
    // `a-b` and `c`, `a` and `b-c`: one server must not be led to the program of another.
    let is_ambiguous = server.contains('-') || upstream.contains('-');
    if whole.len() <= MAX_NAME && !is_ambiguous {
        return whole;
    }
    // '/' is in no name, so no two pairs have one text.
    let hash = ConfigHash::of(format!("{server}/{upstream}").as_bytes());
    let beginning: String = whole.chars().take(MAX_NAME - HASH - 1).collect();
    let hash = hash.short().get(..HASH).unwrap_or_default();
    format!("{}-{hash}", beginning.trim_end_matches('-'))
}

fn check_command(scope: &mut Scope<'_>, field: &str, command: &[String]) {
    if command.first().is_none_or(|program| program.trim().is_empty()) {
        let remedy = "write the program and its arguments, such as [files-mcp, /data]";
        scope.error(field, Reason::InvalidContent, "names no program", remedy);
    }
    if command.iter().any(|text| text.contains('\0')) {
        scope.error(field, Reason::InvalidContent, "contains a NUL character", "remove it");
    }
}

fn check_image(scope: &mut Scope<'_>, field: &str, image: &str) {
    if image.is_empty() || image.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let remedy = "write a reference such as registry.example.com/files-mcp:1";
        scope.error(field, Reason::InvalidContent, format!("{image:?} is no image"), remedy);
    }
}

fn check_variable(scope: &mut Scope<'_>, at: &str, all: &[api::EnvVar], variable: &api::EnvVar) {
    let name = &variable.name;
    if !is_variable_name(name) {
        let remedy = "use letters, digits, '_', '-' and '.', and begin with no digit";
        let message = format!("{name:?} is no name of a variable");
        scope.error(&format!("{at}.name"), Reason::InvalidName, message, remedy);
    }
    let twice = all.iter().filter(|other| other.name == *name).count() > 1;
    if twice {
        scope.error(&format!("{at}.name"), Reason::DuplicateName, "stands twice", "set it once");
    }
    if variable.value.as_ref().is_some_and(|value| value.contains('\0')) {
        let message = "contains a NUL character";
        scope.error(&format!("{at}.value"), Reason::InvalidContent, message, "remove it");
    }
    if let Some(from) = &variable.value_from {
        if variable.value.is_some() {
            let message = "has value and valueFrom";
            scope.error(at, Reason::InvalidContent, message, "keep one of them");
        }
        auth::credential(scope, &format!("{at}.valueFrom.secretKeyRef"), &from.secret_key_ref);
    }
}

fn processes(stdio: &Stdio) -> Processes {
    match stdio.processes {
        api::Processes::Shared => Processes::Shared,
        api::Processes::PerSession => Processes::PerSession,
    }
}

/// Sorted by name. Only what was checked is ever used.
fn environment(stdio: &Stdio) -> Vec<EnvVar> {
    let mut env: Vec<EnvVar> = stdio.env.iter().map(variable).collect();
    env.sort_by(|a, b| a.name.cmp(&b.name));
    env
}

fn variable(declared: &api::EnvVar) -> EnvVar {
    let value = match &declared.value_from {
        Some(from) => {
            let SecretKeyRef { name, key } = &from.secret_key_ref;
            EnvValue::Credential(CredentialRef { secret: name.clone(), key: key.clone() })
        }
        None => EnvValue::Literal(declared.value.clone().unwrap_or_default()),
    };
    EnvVar { name: declared.name.clone(), value }
}

fn is_variable_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.len() <= 256
        && name.chars().all(allowed)
        && name.chars().next().is_some_and(|first| !first.is_ascii_digit())
}
