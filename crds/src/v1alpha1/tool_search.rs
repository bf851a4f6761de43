//! `spec.toolSearch`: a short list of tools, and a way to find the rest.

use super::DurationString;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Serves a short list and finds the rest: a caller who may use more tools than `above` sees `search_tools`, `call_tool`,
/// tools of high priority and those of `always`. Every tool can still be called by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolSearch {
    /// A caller who may use more tools than this gets the short list. Default 40.
    #[serde(default = "default_above")]
    #[schemars(range(min = 0, max = 10_000))]
    pub above: i32,
    /// Names of tools that stand in the short list too; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_.*-]+$")))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub always: Vec<String>,
    /// How many tools an answer has where the model does not say. Default 5.
    #[serde(default = "default_results")]
    #[schemars(range(min = 1, max = 20))]
    pub results: i32,
    /// Ranks by meaning too; absent: by words alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<Embeddings>,
}

fn default_above() -> i32 {
    40
}

fn default_results() -> i32 {
    5
}

/// A model that turns texts into vectors, asked through `/embeddings` of its provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct Embeddings {
    /// A model of a ProviderRoute that `spec.models` selects.
    #[schemars(length(min = 1, max = 253))]
    pub model: String,
    /// How long a search waits for its model before it goes by words alone. 1ms to 1m; default 2s.
    #[serde(default = "default_timeout")]
    pub timeout: DurationString,
}

fn default_timeout() -> DurationString {
    DurationString::from("2s")
}
