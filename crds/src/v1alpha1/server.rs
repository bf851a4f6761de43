//! `McpServer`: one MCP endpoint and the pods behind it.

use super::{
    Auth, Autoscaling, ConfigStatus, DurationString, Prompt, Resource, SecretRef, Store, ToolSearch,
    Upstream, UpstreamSelector, UpstreamStatus,
};
use k8s_openapi::{
    api::core::v1::{LocalObjectReference, ResourceRequirements, Toleration, TopologySpreadConstraint},
    apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector},
};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One MCP endpoint: which tools, upstreams and models it serves, to whom, and in which pods.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "mcpfleet.dev",
    version = "v1alpha1",
    kind = "McpServer",
    plural = "mcpservers",
    namespaced,
    status = "McpServerStatus",
    derive = "PartialEq",
    shortname = "mcps",
    category = "mcpfleet",
    doc = "One MCP endpoint: which tools, upstreams and models it serves, to whom, and in which pods.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Replicas", type_ = "integer", json_path = ".status.readyReplicas"),
    printcolumn(name = "Tools", type_ = "integer", json_path = ".status.tools"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$')")
        .message("metadata.name names a Service too: start with a lower-case letter, then letters, digits and '-', at most 52 characters")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!has(self.autoscaling) || !has(self.autoscaling.concurrencyPerReplica) || self.autoscaling.concurrencyPerReplica <= self.admission.concurrency")
    .message("autoscaling.concurrencyPerReplica must not be above admission.concurrency, or pods are full before more are made"))]
#[x_kube(validation = Rule::new("!has(self.auth.oauth) || size(self.auth.oauth) == 0 || has(self.publicURL)")
    .message("auth.oauth needs publicURL: clients learn from it where to get a token, and for which resource"))]
#[x_kube(validation = Rule::new("has(self.tools) || has(self.models) || (has(self.upstreams) && size(self.upstreams) > 0) || has(self.upstreamSelector) || (has(self.prompts) && size(self.prompts) > 0) || (has(self.resources) && size(self.resources) > 0)")
    .message("a server needs something to serve: set tools.selector, upstreams, upstreamSelector, models.selector, prompts or resources"))]
pub struct McpServerSpec {
    /// Number of pods. Written through the scale subresource by `kubectl scale`, by autoscalers of the cluster, and by
    /// ours where `autoscaling` is set; leave it out of manifests then.
    #[serde(default = "default_replicas")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: i32,
    /// Moves `replicas` by queue depth and concurrency; absent: only people and other scalers move it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// Which McpTools of this namespace it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Selection>,
    /// Lists few tools and finds the rest; absent: all are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_search: Option<ToolSearch>,
    /// Which McpServers of this namespace `/registry` lists beside this one, each to callers whom it would let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<Selection>,
    /// Prompts of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub prompts: Vec<Prompt>,
    /// Resources of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub resources: Vec<Resource>,
    /// MCP servers whose tools are served beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub upstreams: Vec<Upstream>,
    /// McpServers and Services of this namespace that become upstreams by their labels, named like themselves. Their tools
    /// get that name as a prefix, `-` as `_` and a `_` behind it, or what annotation `mcpfleet.dev/prefix` of the object
    /// says. One of `upstreams` wins over a found one of its name; there are at most 64 in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_selector: Option<UpstreamSelector>,
    /// Which ProviderRoutes of this namespace it serves under `/v1`; absent means that `/v1` is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Selection>,
    /// Who may call. Required, so that an open server is a decision.
    pub auth: Auth,
    /// Where clients reach it, such as `https://support.example.com`: the resource that they ask tokens for, which the URL
    /// of the MCP endpoint begins with (RFC 9728, section 2). Needed with `auth.oauth`.
    #[serde(default, rename = "publicURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^{}?#\s]+$"))]
    pub public_url: Option<String>,
    /// Bounds of concurrent calls per pod.
    #[serde(default)]
    pub admission: Admission,
    /// Serves TLS with a certificate from a Secret of type `kubernetes.io/tls`; plain HTTP when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Values of the `Origin` header that are let in, such as `https://app.example.com`; any other gets 403.
    /// Requests without `Origin` (anything but a browser) are not affected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_origins: Vec<String>,
    /// Where its pods keep what they share; absent: each in its own memory, which ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Store>,
    /// Settings of its pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<PodTemplate>,
}

fn default_replicas() -> i32 {
    1
}

/// Objects of this namespace by their labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Label selector; an empty one selects every object of the kind.
    pub selector: LabelSelector,
}

/// Bounds of concurrent calls, per pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Admission {
    /// Calls that run at once.
    #[serde(default = "default_concurrency")]
    #[schemars(range(min = 1, max = 65_536))]
    pub concurrency: i32,
    /// Calls that wait for a place; one more is refused with 503 and Retry-After.
    #[serde(default = "default_queue_length")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub queue_length: i32,
    /// How long a call may wait. 1ms to 24h.
    #[serde(default = "default_queue_timeout")]
    pub queue_timeout: DurationString,
    /// Notification streams that may be open at once (`subscriptions/listen`, and GET of older clients); one more is
    /// refused with 503. They take no place of a call. Default 4096.
    #[serde(default = "default_max_streams")]
    #[schemars(range(min = 0, max = 65_536))]
    pub max_streams: i32,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            concurrency: default_concurrency(),
            queue_length: default_queue_length(),
            queue_timeout: default_queue_timeout(),
            max_streams: default_max_streams(),
        }
    }
}

fn default_concurrency() -> i32 {
    64
}

fn default_queue_length() -> i32 {
    256
}

fn default_max_streams() -> i32 {
    4_096
}

fn default_queue_timeout() -> DurationString {
    DurationString::from("10s")
}

/// A serving certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tls {
    /// Secret with keys `tls.crt` and `tls.key`. Renewals are picked up without a restart.
    pub secret_ref: SecretRef,
    /// Name that clients verify; a pod whose certificate does not carry it is not Ready.
    /// Default `<name>.<namespace>.svc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
}

/// Settings of a server's pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodTemplate {
    /// Image of `mcp-runtime`; default: the one that the operator was installed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Secrets for pulling the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Compute resources of the runtime container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Node labels that pods need.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that pods tolerate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tolerations: Vec<Toleration>,
    /// How pods spread; default: over zones and nodes where possible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
}

/// What became of a server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerStatus {
    /// Generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Pods that exist.
    #[serde(default)]
    pub replicas: i32,
    /// Pods that are Ready.
    #[serde(default)]
    pub ready_replicas: i32,
    /// Label selector of its pods, for the scale subresource.
    #[serde(default)]
    pub selector: String,
    /// Tools that it declares and serves: its own, and those of upstreams as far as pods have reported them.
    #[serde(default)]
    pub tools: i32,
    /// MCP endpoint inside the cluster.
    #[serde(default)]
    pub url: String,
    /// The configuration that its pods serve.
    #[serde(default)]
    pub config: ConfigStatus,
    /// Each upstream.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub upstreams: Vec<UpstreamStatus>,
    /// `Available`: it serves. `Ready`: what is declared is what serves, as far as it is up to the server itself.
    /// `ToolsAccepted`: no selected tool or route is refused. `UpstreamsAccepted`: nothing that `upstreamSelector` finds
    /// is left out. `UpstreamsConnected`: every upstream can be used; absent without upstreams. `Reconciling` and
    /// `Stalled` are present while they hold.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}
