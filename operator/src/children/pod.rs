//! The pod template: Restricted pod security, no API token, a clean way to die.

use super::{ADMIN_PORT, Blueprint, MCP_PORT, PEER_PORT, configmap, labels, probes, selector, volumes};
use k8s_openapi::{
    api::core::v1::{
        Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, Lifecycle, LifecycleHandler,
        ObjectFieldSelector, PodSecurityContext, PodSpec, PodTemplateSpec, ResourceRequirements,
        SeccompProfile, SecurityContext, SleepAction, TopologySpreadConstraint,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use kube::{ResourceExt, api::ObjectMeta};
use mcpfleet_crds::v1alpha1::PodTemplate;
use std::collections::BTreeMap;

/// How long a pod serves on after it was told to stop, in seconds: until no proxy sends it new calls.
pub const PRE_STOP_SECONDS: i64 = 5;
/// Longest time that calls in flight are given at shutdown, in seconds. A constant, not the longest timeout of
/// the tools: else a new tool with a longer one would roll every pod. A pod without calls ends at once.
const DRAIN_SECONDS: i64 = 300;
/// Variable with the pod's address.
const POD_IP: &str = "POD_IP";
/// User and group of the image.
const USER: i64 = 65_532;

pub(super) fn build(blueprint: &Blueprint<'_>) -> PodTemplateSpec {
    let server = blueprint.server;
    let template = server.spec.template.clone().unwrap_or_default();
    let (volumes, mounts) = volumes::build(blueprint);
    let container = Container { volume_mounts: Some(mounts), ..runtime(blueprint, &template) };
    PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(labels(&server.name_any())), ..ObjectMeta::default() }),
        spec: Some(PodSpec {
            containers: vec![container],
            volumes: Some(volumes),
            service_account_name: Some(server.name_any()),
            automount_service_account_token: Some(false),
            // Environment variables of every Service of the namespace would be noise and a leak.
            enable_service_links: Some(false),
            security_context: Some(pod_security()),
            termination_grace_period_seconds: Some(PRE_STOP_SECONDS + DRAIN_SECONDS + 5),
            topology_spread_constraints: Some(spread(blueprint, &template)),
            image_pull_secrets: non_empty(template.image_pull_secrets),
            node_selector: (!template.node_selector.is_empty()).then_some(template.node_selector),
            tolerations: non_empty(template.tolerations),
            ..PodSpec::default()
        }),
    }
}

fn runtime(blueprint: &Blueprint<'_>, template: &PodTemplate) -> Container {
    let defaults = blueprint.defaults;
    Container {
        name: "runtime".into(),
        image: Some(image(blueprint)),
        image_pull_policy: Some(defaults.image_pull_policy.clone()),
        args: Some(args(blueprint)),
        env: Some(vec![pod_ip()]),
        ports: Some(vec![port("mcp", MCP_PORT), port("peer", PEER_PORT), port("admin", ADMIN_PORT)]),
        startup_probe: Some(probes::startup()),
        readiness_probe: Some(probes::readiness()),
        liveness_probe: Some(probes::liveness()),
        lifecycle: Some(leave_slowly()),
        resources: Some(template.resources.clone().unwrap_or_else(default_resources)),
        security_context: Some(container_security()),
        // The last lines of a runtime that ends at start become the server's condition.
        termination_message_policy: Some("FallbackToLogsOnError".into()),
        ..Container::default()
    }
}

/// Image of the runtime.
pub(super) fn image(blueprint: &Blueprint<'_>) -> String {
    let named = blueprint.server.spec.template.as_ref().and_then(|template| template.image.clone());
    named.unwrap_or_else(|| blueprint.defaults.runtime_image.clone())
}

/// Serves on until no proxy sends it new calls. Native: the image has no shell and no sleep.
pub(super) fn leave_slowly() -> Lifecycle {
    let sleep = SleepAction { seconds: PRE_STOP_SECONDS };
    let pre_stop = LifecycleHandler { sleep: Some(sleep), ..LifecycleHandler::default() };
    Lifecycle { pre_stop: Some(pre_stop), ..Lifecycle::default() }
}

fn args(blueprint: &Blueprint<'_>) -> Vec<String> {
    let config = |file: &str| format!("{}/{file}", volumes::CONFIG_DIR);
    let mut args = vec!["serve".into(), "--config".into(), config(configmap::KEY)];
    args.extend(["--operator".into(), blueprint.defaults.operator_url.clone()]);
    args.extend(["--operator-ca".into(), config(configmap::BUNDLE)]);
    args.extend(["--operator-token".into(), format!("{}/{}", volumes::TOKEN_DIR, volumes::TOKEN)]);
    args.extend(["--state".into(), volumes::STATE_DIR.into()]);
    args.extend(["--credentials".into(), volumes::CREDENTIALS_DIR.into()]);
    args.extend(["--listen".into(), format!("0.0.0.0:{MCP_PORT}")]);
    args.extend(["--admin".into(), format!("0.0.0.0:{ADMIN_PORT}")]);
    args.extend(["--peer".into(), format!("0.0.0.0:{PEER_PORT}")]);
    args.extend(["--peer-advertise".into(), format!("$({POD_IP})")]);
    // As long as the grace period allows: a call in flight outlives a rollout.
    args.extend(["--drain-timeout".into(), format!("{DRAIN_SECONDS}s")]);
    if blueprint.product.pod.tls_secret.is_some() {
        args.extend(["--tls-dir".into(), volumes::TLS_DIR.into()]);
    }
    args
}

/// Where other replicas reach this one.
fn pod_ip() -> EnvVar {
    let field = ObjectFieldSelector { api_version: Some("v1".into()), field_path: "status.podIP".into() };
    let source = EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() };
    EnvVar { name: POD_IP.into(), value: None, value_from: Some(source) }
}

pub(super) fn port(name: &str, number: i32) -> ContainerPort {
    ContainerPort {
        name: Some(name.into()),
        container_port: number,
        protocol: Some("TCP".into()),
        ..ContainerPort::default()
    }
}

pub(super) fn pod_security() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(USER),
        run_as_group: Some(USER),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), ..SeccompProfile::default() }),
        ..PodSecurityContext::default()
    }
}

pub(super) fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        run_as_non_root: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), ..Capabilities::default() }),
        ..SecurityContext::default()
    }
}

/// Small, and without a CPU limit: throttling would show as latency. The memory limit holds the default
/// concurrency of 64 calls with results of 4 MiB each.
fn default_resources() -> ResourceRequirements {
    amounts(&[("cpu", "50m"), ("memory", "64Mi")], &[("memory", "512Mi")])
}

pub(super) fn amounts(requests: &[(&str, &str)], limits: &[(&str, &str)]) -> ResourceRequirements {
    let amounts = |pairs: &[(&str, &str)]| -> BTreeMap<String, Quantity> {
        pairs.iter().map(|(name, amount)| ((*name).into(), Quantity((*amount).into()))).collect()
    };
    ResourceRequirements {
        requests: Some(amounts(requests)),
        limits: Some(amounts(limits)),
        ..ResourceRequirements::default()
    }
}

fn spread(blueprint: &Blueprint<'_>, template: &PodTemplate) -> Vec<TopologySpreadConstraint> {
    if !template.topology_spread_constraints.is_empty() {
        return template.topology_spread_constraints.clone();
    }
    ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        .map(|key| TopologySpreadConstraint {
            topology_key: key.into(),
            max_skew: 1,
            when_unsatisfiable: "ScheduleAnyway".into(),
            label_selector: Some(selector(blueprint.server)),
            ..TopologySpreadConstraint::default()
        })
        .into()
}

pub(super) fn non_empty<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}
