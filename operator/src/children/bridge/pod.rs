//! The pod of a program: the user's image, started by `mcp-runtime bridge`. Restricted pod security but for the root
//! filesystem, which many images write to.

use super::{
    super::{ADMIN_PORT, Blueprint, MCP_PORT, pod, probes},
    volumes,
};
use k8s_openapi::api::core::v1::{
    Container, EnvVar, EnvVarSource, LocalObjectReference, PodSpec, PodTemplateSpec, ResourceRequirements,
    SecretKeySelector, SecurityContext,
};
use kube::api::ObjectMeta;
use mcpfleet_config::{self as config, EnvValue, Processes};
use mcpfleet_crds::compile::Bridge;
use std::collections::{BTreeMap, BTreeSet};

/// Longest time that calls in flight are given when the pod is replaced, in seconds. A program without calls ends at once.
const DRAIN_SECONDS: i64 = 60;

pub(super) fn build(
    blueprint: &Blueprint<'_>,
    bridge: &Bridge,
    labels: BTreeMap<String, String>,
) -> PodTemplateSpec {
    let template = blueprint.server.spec.template.clone().unwrap_or_default();
    PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }),
        spec: Some(PodSpec {
            init_containers: Some(vec![install(blueprint)]),
            containers: vec![program(bridge)],
            volumes: Some(volumes::all()),
            service_account_name: Some(bridge.name.clone()),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            security_context: Some(pod::pod_security()),
            termination_grace_period_seconds: Some(pod::PRE_STOP_SECONDS + DRAIN_SECONDS + 15),
            image_pull_secrets: pull_secrets(blueprint, bridge),
            // Where the server's pods may run, this one may: a cluster whose nodes are all tainted has no other place.
            node_selector: (!template.node_selector.is_empty()).then_some(template.node_selector),
            tolerations: pod::non_empty(template.tolerations),
            ..PodSpec::default()
        }),
    }
}

/// Copies `mcp-runtime` to where the program's image finds it. The runtime's image has no shell: it copies itself.
fn install(blueprint: &Blueprint<'_>) -> Container {
    Container {
        name: "install".into(),
        image: Some(pod::image(blueprint)),
        image_pull_policy: Some(blueprint.defaults.image_pull_policy.clone()),
        args: Some(vec!["install".into(), volumes::BINARY.into()]),
        volume_mounts: Some(vec![volumes::binary_written()]),
        resources: Some(pod::amounts(&[("cpu", "10m"), ("memory", "32Mi")], &[("memory", "128Mi")])),
        security_context: Some(pod::container_security()),
        termination_message_policy: Some("FallbackToLogsOnError".into()),
        ..Container::default()
    }
}

fn program(bridge: &Bridge) -> Container {
    Container {
        name: "program".into(),
        image: Some(bridge.image.clone()),
        command: Some(command(bridge)),
        env: Some(environment(&bridge.env)),
        ports: Some(vec![pod::port("mcp", MCP_PORT), pod::port("admin", ADMIN_PORT)]),
        startup_probe: Some(probes::startup()),
        readiness_probe: Some(probes::readiness()),
        liveness_probe: Some(probes::liveness()),
        lifecycle: Some(pod::leave_slowly()),
        resources: Some(bridge.resources.clone().unwrap_or_else(default_resources)),
        volume_mounts: Some(volumes::mounts()),
        security_context: Some(SecurityContext {
            read_only_root_filesystem: None,
            ..pod::container_security()
        }),
        termination_message_policy: Some("FallbackToLogsOnError".into()),
        ..Container::default()
    }
}

fn command(bridge: &Bridge) -> Vec<String> {
    let processes = match bridge.processes {
        Processes::Shared => "shared",
        Processes::PerSession => "per-session",
    };
    let mut command = vec![volumes::BINARY.into(), "bridge".into()];
    command.extend(["--listen".into(), format!("0.0.0.0:{MCP_PORT}")]);
    command.extend(["--admin".into(), format!("0.0.0.0:{ADMIN_PORT}")]);
    command.extend(["--processes".into(), processes.into(), "--name".into(), bridge.upstream.clone()]);
    command.extend(["--drain-timeout".into(), format!("{DRAIN_SECONDS}s"), "--".into()]);
    command.extend(bridge.command.iter().map(|text| literal(text)));
    command
}

/// What the program gets of Secrets comes from the kubelet: neither the operator nor the server's pods see it. A Secret
/// that is missing keeps this pod alone from starting, and the kubelet starts it when the Secret is there.
fn environment(declared: &[config::EnvVar]) -> Vec<EnvVar> {
    let named: BTreeSet<&str> = declared.iter().map(|variable| variable.name.as_str()).collect();
    let ours = [("HOME", volumes::HOME), ("TMPDIR", volumes::TMP)];
    let defaults = ours.into_iter().filter(|(name, _)| !named.contains(name)).map(|(name, value)| EnvVar {
        name: name.into(),
        value: Some(value.into()),
        value_from: None,
    });
    defaults.chain(declared.iter().map(variable)).collect()
}

fn variable(declared: &config::EnvVar) -> EnvVar {
    let name = declared.name.clone();
    match &declared.value {
        // The API server leaves out what is empty.
        EnvValue::Literal(text) => {
            EnvVar { name, value: Some(literal(text)).filter(|text| !text.is_empty()), value_from: None }
        }
        EnvValue::Credential(from) => {
            let key = SecretKeySelector { name: from.secret.clone(), key: from.key.clone(), optional: None };
            let source = EnvVarSource { secret_key_ref: Some(key), ..EnvVarSource::default() };
            EnvVar { name, value: None, value_from: Some(source) }
        }
    }
}

/// As the kubelet is to be told it: it puts variables in the place of `$(NAME)`, and takes `$$` for `$`. A command means
/// the same in a cluster and on a laptop.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// Of the program's image, and of the runtime's.
fn pull_secrets(blueprint: &Blueprint<'_>, bridge: &Bridge) -> Option<Vec<LocalObjectReference>> {
    let template = blueprint.server.spec.template.as_ref();
    let runtime = template.into_iter().flat_map(|template| &template.image_pull_secrets);
    let names: BTreeSet<&String> = runtime
        .map(|secret| &secret.name)
        .chain(&bridge.image_pull_secrets)
        .filter(|name| !name.is_empty())
        .collect();
    pod::non_empty(names.into_iter().map(|name| LocalObjectReference { name: name.clone() }).collect())
}

/// Small, and without a CPU limit, as for the server's own pods: the program and the bridge in front of it.
fn default_resources() -> ResourceRequirements {
    pod::amounts(&[("cpu", "50m"), ("memory", "64Mi")], &[("memory", "512Mi")])
}
