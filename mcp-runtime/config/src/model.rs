//! The fields of a runtime configuration. Durations are milliseconds (`…Ms`), sizes are bytes.

use crate::{
    Access, Admission, AsyncCalls, Backend, CredentialRef, EnvVar, Header, Neighbour, Prompt, Resource,
    Store, ToolExample, ToolPriority, ToolSearch, Upstream,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeSet, fmt};

/// Newest version of this format that this code writes and reads.
///
/// | version | new in it |
/// |---|---|
/// | 1 | |
/// | 2 | `admission.maxStreams` |
/// | 3 | `access.Restricted`; `scopes`; header values that are neither literal nor one credential; `prompts`, `resources`, and of tools `priority`, `examples`, `outputSchema` |
/// | 4 | of upstreams `transport.stdio` and `tools`; `store`, `toolSearch`, `neighbours`; of tools `async` |
pub const FORMAT: u32 = 4;

/// Everything that one server serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuntimeConfig {
    /// The oldest version that can say all of this, at most [`FORMAT`]. A runtime refuses one that is newer than its
    /// own, so a configuration that uses nothing new is served by runtimes older than the operator.
    pub format: u32,
    /// The server that this configuration is for.
    pub server: ServerName,
    /// How clients reach it.
    pub listener: Listener,
    /// Who may call.
    pub access: Access,
    /// The bounded queue in front of execution.
    pub admission: Admission,
    /// Tools, sorted by name.
    pub tools: Vec<Tool>,
    /// Prompts of its own, sorted by name. Format 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<Prompt>,
    /// Resources of its own, sorted by name. Format 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// MCP servers aggregated behind this one, sorted by name.
    pub upstreams: Vec<Upstream>,
    /// Model providers, sorted by route and then in the route's order.
    pub providers: Vec<Provider>,
    /// Whether `/v1/*` is served at all. True also when no route matches yet.
    pub serves_models: bool,
    /// When the list of tools becomes short; absent: never. Format 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_search: Option<ToolSearch>,
    /// Servers elsewhere that `/registry` lists, sorted by name. Format 4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
    /// Where replicas keep what they share. Format 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Store>,
}

/// Namespace and name of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerName {
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the `McpServer`.
    pub name: String,
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The data listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listener {
    /// TLS, or plain HTTP when absent.
    pub tls: Option<TlsListener>,
    /// Values of `Origin` that are let in, such as `https://app.example.com`; any other gets 403 (MCP transports,
    /// "Security warning"). A request without `Origin` comes from no browser and passes. The host's own name is no
    /// exception: after DNS rebinding a hostile page sends it too.
    pub allowed_origins: Vec<String>,
}

/// A serving certificate of type `kubernetes.io/tls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsListener {
    /// Secret with keys `tls.crt` and `tls.key`.
    pub secret: String,
    /// Name that clients verify; the readiness handshake verifies it too.
    pub server_name: String,
}

/// One tool with the work behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tool {
    /// Name that clients call it by; see [`crate::tool_name`].
    pub name: String,
    /// Name of the `McpTool` it comes from (same namespace as the server).
    pub object: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What a model reads to choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema 2020-12 of the arguments, `type: object` at the top.
    pub input_schema: Value,
    /// JSON Schema 2020-12 of the structured result, `type: object` at the top. Format 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// Where it stands in the list. Format 3.
    #[serde(default, skip_serializing_if = "ToolPriority::is_normal")]
    pub priority: ToolPriority,
    /// Calls that show a model how it is used. Format 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<ToolExample>,
    /// Hints for clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ToolAnnotations>,
    /// Deadline of one call including its wait for admission, in ms.
    pub timeout_ms: u64,
    /// The work.
    pub backend: Backend,
    /// Scopes that a caller needs, all of them. Format 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Its calls are tasks. Format 4.
    #[serde(rename = "async", default, skip_serializing_if = "Option::is_none")]
    pub asynchronous: Option<AsyncCalls>,
}

/// Hints about a tool's behaviour (MCP schema, `ToolAnnotations`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolAnnotations {
    /// It changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// It may destroy something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// Calling it twice is like calling it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// It reaches a world outside the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
}

/// One model provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provider {
    /// Name of the `ProviderRoute` it comes from.
    pub route: String,
    /// Name within the route.
    pub name: String,
    /// Dialect that it speaks.
    pub api: ProviderApi,
    /// URL in front of `/chat/completions`, without a trailing slash.
    pub base_url: String,
    /// Sent with every request, credentials among them.
    pub headers: Vec<Header>,
    /// Model names that this provider answers for.
    pub models: Vec<String>,
    /// Deadline from request to the last byte, in ms.
    pub timeout_ms: u64,
}

/// Dialect of a provider's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProviderApi {
    /// OpenAI chat completions, and whatever is compatible with it.
    OpenAI,
}

impl RuntimeConfig {
    /// Every header of every request that leaves, credentials among them.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &Header> {
        let tools = self.tools.iter().filter_map(|t| match &t.backend {
            Backend::Http(http) => Some(&http.headers),
            Backend::Static(_) => None,
        });
        let upstreams = self.upstreams.iter().filter_map(|upstream| upstream.transport.headers());
        let providers = self.providers.iter().map(|p| &p.headers);
        tools.chain(upstreams).chain(providers).flatten()
    }

    /// Every credential that serving this configuration can need, without repeats. Virtual keys are not among them: see
    /// [`Access::keys`].
    pub fn credentials(&self) -> BTreeSet<&CredentialRef> {
        let programs = self.upstreams.iter().flat_map(|upstream| upstream.transport.environment());
        let variables = programs.filter_map(EnvVar::credential);
        let store = self.store.as_ref().map(Store::credential);
        self.headers().flat_map(Header::credentials).chain(variables).chain(store).collect()
    }

    /// Names of the Secrets that must be readable, the certificate's aside.
    pub fn secrets(&self) -> BTreeSet<&str> {
        self.credentials().into_iter().map(|from| from.secret.as_str()).chain(self.access.keys()).collect()
    }
}
