//! `ProviderRoute`: model providers, declared.

use super::{DurationString, HttpAuth, Membership};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Model providers, and the models that each answers for.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "mcpfleet.dev",
    version = "v1alpha1",
    kind = "ProviderRoute",
    plural = "providerroutes",
    namespaced,
    status = "ProviderRouteStatus",
    derive = "PartialEq",
    shortname = "mcpr",
    category = "mcpfleet",
    doc = "Model providers, and the models that each answers for.",
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
pub struct ProviderRouteSpec {
    /// The provider. Exactly one today: choosing among several is not built yet, and so not accepted.
    #[schemars(length(min = 1, max = 1))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub providers: Vec<Provider>,
}

/// One model provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!has(self.auth) || !has(self.auth.passThrough)")
    .message("auth.passThrough is for upstreams only; use tokenExchange"))]
pub struct Provider {
    /// Name within the route.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Dialect that it speaks.
    pub api: ProviderApi,
    /// URL in front of `/chat/completions`, such as `https://api.deepseek.com/v1`.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^{}?#]+$"))]
    pub base_url: String,
    /// How to authenticate there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<HttpAuth>,
    /// Models that it answers for.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub models: Vec<Model>,
    /// Deadline of one request, to the last byte of a stream. 1ms to 24h; default 10m.
    #[serde(default = "default_provider_timeout")]
    pub timeout: DurationString,
}

fn default_provider_timeout() -> DurationString {
    DurationString::from("10m")
}

/// Dialect of a provider's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProviderApi {
    /// OpenAI chat completions, and whatever is compatible with it.
    OpenAI,
}

/// One model of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Name that clients send, and the provider knows.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What became of a route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderRouteStatus {
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
