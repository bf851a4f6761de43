//! `McpTool`: one tool, declared.

use super::{AsyncCalls, DurationString, HttpAuth, Membership, Scope, upstream::default_timeout};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One tool: what a model reads about it, and the work behind it.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "mcpfleet.dev",
    version = "v1alpha1",
    kind = "McpTool",
    plural = "mcptools",
    namespaced,
    status = "McpToolStatus",
    derive = "PartialEq",
    shortname = "mcpt",
    category = "mcpfleet",
    doc = "One tool: what a model reads about it, and the work behind it.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason"
    ),
    printcolumn(name = "Servers", type_ = "string", json_path = ".status.servers[*].name"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct McpToolSpec {
    /// Name that clients call it by; default `metadata.name` with `_` for `-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_.-]+$"))]
    pub name: Option<String>,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub title: Option<String>,
    /// What a model reads to choose the tool: what it does, when to use it, what comes back.
    #[schemars(length(min = 1, max = 8192))]
    pub description: String,
    /// JSON Schema 2020-12 of the arguments; default: no arguments.
    #[serde(default = "no_arguments")]
    #[schemars(schema_with = "json_schema_object")]
    pub input_schema: Value,
    /// JSON Schema 2020-12 of the structured result, an object. A result that does not fit becomes an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "optional_json_schema")]
    pub output_schema: Option<Value>,
    /// Where it stands in the server's list, and whether a model should prefer or avoid it.
    #[serde(default)]
    pub priority: ToolPriority,
    /// Calls that show a model how it is used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub examples: Vec<ToolExample>,
    /// Hints for clients (MCP `ToolAnnotations`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ToolAnnotations>,
    /// The work behind it.
    pub backend: Backend,
    /// Deadline of one call, waiting for its turn included. 1ms to 24h; default 30s.
    #[serde(default = "default_timeout")]
    pub timeout: DurationString,
    /// Scopes that a caller needs, all of them. Callers without them do not see the tool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scopes: Vec<Scope>,
    /// Its calls are tasks: for work that takes longer than a client waits.
    #[serde(rename = "async", default, skip_serializing_if = "Option::is_none")]
    pub asynchronous: Option<AsyncCalls>,
}

fn no_arguments() -> Value {
    serde_json::json!({"type": "object", "properties": {}, "additionalProperties": false})
}

fn json_schema_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

fn optional_json_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "nullable": true, "x-kubernetes-preserve-unknown-fields": true})
}

/// Where a tool stands among those of its server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ToolPriority {
    /// First in the list, and said so.
    High,
    /// Behind those of high priority.
    #[default]
    Normal,
    /// Last in the list, and said so.
    Low,
}

/// One call that shows how a tool is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolExample {
    /// What a user might say.
    #[schemars(length(min = 1, max = 256))]
    pub say: String,
    /// The arguments that answer it; they fit `inputSchema`.
    #[schemars(schema_with = "json_schema_object")]
    pub arguments: Value,
}

/// Hints about a tool's behaviour. They inform a client, nothing is enforced by them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolAnnotations {
    /// It changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// It may destroy something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// Calling it twice with the same arguments is like calling it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// It reaches a world outside the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
}

/// The work behind a tool. Exactly one member is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.static), has(self.http)].exists_one(set, set)")
    .message("set exactly one of static and http"))]
pub struct Backend {
    /// Always the same text.
    #[serde(rename = "static", default, skip_serializing_if = "Option::is_none")]
    pub static_: Option<StaticBackend>,
    /// One HTTP request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpBackend>,
}

/// A fixed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticBackend {
    /// The result's text.
    #[schemars(length(min = 1, max = 65_536))]
    pub text: String,
}

/// One HTTP request made from the arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!has(self.auth) || !has(self.auth.passThrough)")
    .message("auth.passThrough is for upstreams only; use tokenExchange"))]
pub struct HttpBackend {
    /// Request method; default GET.
    #[serde(default)]
    pub method: HttpMethod,
    /// URL template (RFC 6570): `{id}` in the path, `{?status,limit}` for the query. Scheme, host and port
    /// are fixed text.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^{}/?#\\\s]+[^\\\s]*$"))]
    pub url: String,
    /// Headers with fixed values. Secrets go into `auth`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub headers: Vec<HttpHeader>,
    /// How to authenticate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<HttpAuth>,
    /// What the body holds; default: `Arguments` for POST, PUT and PATCH, else `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodySource>,
}

/// A header with a fixed value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpHeader {
    /// Name of the header.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub name: String,
    /// Its value.
    #[schemars(length(max = 1024))]
    pub value: String,
}

/// Methods that a tool may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum HttpMethod {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What a request body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BodySource {
    /// No body.
    None,
    /// A JSON object of the arguments that the URL does not use.
    Arguments,
}

/// What became of a tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpToolStatus {
    /// Generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The servers that select it, and whether each serves it.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub servers: Vec<Membership>,
    /// `Ready`: it is valid, and every server that selects it serves it.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}
