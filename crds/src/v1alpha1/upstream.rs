//! MCP servers behind a server: where they are, and what of their offer is served.

use super::{AsyncCalls, DurationString, HttpAuth, Scope, SecretKeyRef, Selection, ToolAnnotations};
use k8s_openapi::api::core::v1::{LocalObjectReference, ResourceRequirements};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An MCP server behind this one. Exactly one of `remote`, `serverRef`, `serviceRef` and `stdio` is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.remote), has(self.serverRef), has(self.serviceRef), has(self.stdio)].exists_one(set, set)")
    .message("set exactly one of remote, serverRef, serviceRef and stdio"))]
pub struct Upstream {
    /// Name within this server.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Put in front of the names of its tools, such as `github_`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 64), regex(pattern = r"^[A-Za-z0-9_.-]*$"))]
    pub prefix: String,
    /// A server at a URL, over Streamable HTTP or HTTP+SSE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Remote>,
    /// Another McpServer, or an MCPServer of mcp.x-k8s.io.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_ref: Option<ServerRef>,
    /// A Service of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_ref: Option<ServiceRef>,
    /// A program that speaks MCP on standard input and output, run in a workload of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdio: Option<Stdio>,
    /// Which of its tools are served, and as what.
    #[serde(default, skip_serializing_if = "UpstreamTools::is_default")]
    pub tools: UpstreamTools,
    /// Deadline of one call to it. 1ms to 24h; default 30s.
    #[serde(default = "default_timeout")]
    pub timeout: DurationString,
    /// Scopes that a caller needs, all of them, for any tool of it. Callers without them do not see its tools.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scopes: Vec<Scope>,
}

pub(super) fn default_timeout() -> DurationString {
    DurationString::from("30s")
}

impl Default for Upstream {
    /// As if nothing were written.
    fn default() -> Self {
        Self {
            name: String::new(),
            prefix: String::new(),
            remote: None,
            server_ref: None,
            service_ref: None,
            stdio: None,
            tools: UpstreamTools::default(),
            timeout: default_timeout(),
            scopes: Vec::new(),
        }
    }
}

/// A server at a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// Its MCP endpoint, such as `https://mcp.example.com/mcp`.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^{}]+$"))]
    pub url: String,
    /// How to authenticate there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<HttpAuth>,
}

/// Another MCP server object. One of another namespace is reached when a ReferenceGrant there allows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerRef {
    /// API group of the object: an McpServer of `mcpfleet.dev`, or an MCPServer of `mcp.x-k8s.io`.
    #[serde(default)]
    pub group: ServerGroup,
    /// Its name.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Its namespace; default: that of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// How to authenticate there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<HttpAuth>,
}

/// Which API group an object that serves MCP belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServerGroup {
    /// An McpServer.
    #[default]
    #[serde(rename = "mcpfleet.dev")]
    Mcpfleet,
    /// An MCPServer of kubernetes-sigs/mcp-lifecycle-operator.
    #[serde(rename = "mcp.x-k8s.io")]
    Lifecycle,
}

/// A Service whose pods speak MCP over HTTP. One of another namespace is reached when a ReferenceGrant there allows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceRef {
    /// Its name.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Its namespace; default: that of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// Port of the Service.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: i32,
    /// Path of the MCP endpoint; default `/mcp`.
    #[serde(default = "default_path")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^/[^{}?#\s]*$"))]
    pub path: String,
    /// How to authenticate there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<HttpAuth>,
}

pub(crate) fn default_path() -> String {
    "/mcp".into()
}

/// Upstreams by their labels. Only what is in this server's own namespace is found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
#[x_kube(validation = Rule::new("has(self.servers) || has(self.services)").message("set servers, services or both"))]
pub struct UpstreamSelector {
    /// Which McpServers become upstreams, this one excepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers: Option<Selection>,
    /// Which Services become upstreams, those of McpServers excepted. Annotation `mcpfleet.dev/port` of a Service says
    /// which port speaks MCP (default: the one named `mcp`, or the only one), `mcpfleet.dev/path` at which path
    /// (default `/mcp`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Selection>,
}

/// A program that speaks MCP on standard input and output. In a cluster it runs in a Deployment of its own, behind
/// `mcp-runtime bridge`; `mcp-runtime serve -f` runs `command` as a child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stdio {
    /// Image that has the program.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
    /// The program and its arguments. Required: an image's own entry point is not known to those who start it here.
    #[schemars(length(min = 1, max = 64), inner(length(max = 4096)))]
    pub command: Vec<String>,
    /// Environment of the program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub env: Vec<EnvVar>,
    /// Who shares a process.
    #[serde(default)]
    pub processes: Processes,
    /// Compute resources of its container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Secrets for pulling the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub image_pull_secrets: Vec<LocalObjectReference>,
}

/// Who shares a process of a `stdio` upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Processes {
    /// Everybody: for programs that keep nothing between calls.
    #[default]
    Shared,
    /// Nobody: each session of the runtime's has a process of its own.
    PerSession,
}

/// A variable of a program's environment. At most one of `value` and `valueFrom` is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!(has(self.value) && has(self.valueFrom))").message("set value or valueFrom, not both"))]
pub struct EnvVar {
    /// Its name.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"))]
    pub name: String,
    /// Its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub value: Option<String>,
    /// Where its value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<EnvVarSource>,
}

/// Where a variable's value is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvVarSource {
    /// A key of a Secret of this namespace.
    pub secret_key_ref: SecretKeyRef,
}

/// Which tools of an upstream are served, and as what. Names are the upstream's own, without the prefix.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpstreamTools {
    /// Names to serve, `*` and `?` standing for any characters and any one; default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub include: Vec<String>,
    /// Names not to serve, of those that `include` takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub exclude: Vec<String>,
    /// What the tools that are served may do, as their annotations say.
    #[serde(default)]
    pub access: UpstreamAccess,
    /// What clients see instead of what the upstream says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub overrides: Vec<ToolOverride>,
    /// Whether definitions may change by themselves.
    #[serde(default)]
    pub pinning: Pinning,
    /// Definitions that were approved, as `mcp-runtime pin` prints them. Used with `pinning: Strict`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub pins: Vec<Pin>,
}

impl UpstreamTools {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What the tools of an upstream may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UpstreamAccess {
    /// Whatever they do.
    #[default]
    Any,
    /// Only tools that say of themselves, or of which an override says, `readOnlyHint: true`.
    ReadOnly,
}

/// What clients see of a tool instead of what its upstream says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolOverride {
    /// The upstream's name of the tool.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// The name that clients call it by, whole: no prefix is put in front of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_.-]+$"))]
    pub rename: Option<String>,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub title: Option<String>,
    /// What a model reads to choose the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8192))]
    pub description: Option<String>,
    /// Hints for clients; those that are set take the place of the upstream's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ToolAnnotations>,
    /// Its calls are tasks. An upstream that makes tasks by itself needs none of this.
    #[serde(rename = "async", default, skip_serializing_if = "Option::is_none")]
    pub asynchronous: Option<AsyncCalls>,
}

/// Whether the definitions of an upstream's tools may change by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Pinning {
    /// Clients see what the upstream says now.
    #[default]
    Follow,
    /// A tool with a pin that its definition no longer fits is withheld, and the status says what changed.
    Strict,
}

/// An approved definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The upstream's name of the tool.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// Hash of the definition, as `mcp-runtime pin` prints it.
    #[schemars(length(min = 1, max = 256))]
    pub hash: String,
}
