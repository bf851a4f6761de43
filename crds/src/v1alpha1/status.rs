//! What controllers report.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Truth of a condition, as Kubernetes writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody can tell yet.
    Unknown,
}

impl ConditionStatus {
    /// `True`, `False` or `Unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for ConditionStatus {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// What became of a tool or route in one server that selects it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// Name of the McpServer.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Whether that server serves it.
    pub serving: ConditionStatus,
    /// Why, in one CamelCase word.
    #[schemars(length(max = 128))]
    pub reason: String,
    /// Why, and what to do.
    #[schemars(length(max = 4096))]
    pub message: String,
}

/// Which configuration runtimes are given and which they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigStatus {
    /// Hash of the configuration that the current objects compile to.
    #[schemars(length(max = 64))]
    pub desired_hash: String,
    /// Hash of the configuration that a runtime has accepted last: what new pods start with.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub accepted_hash: String,
    /// Pods that there are.
    pub total: i32,
    /// Pods of them that serve the desired configuration.
    pub synced: i32,
    /// Pods of them that have refused it.
    #[serde(default)]
    pub rejected: i32,
    /// Pods of them that are not connected to the operator: what they serve now is not known.
    #[serde(default)]
    pub stale: i32,
}

/// How it stands with one upstream of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamStatus {
    /// Its name within the server.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Whether its tools can be called.
    pub state: UpstreamState,
    /// Tools that it contributes.
    #[serde(default)]
    pub tools: i32,
    /// Revision of the protocol that is spoken with it, such as `2025-11-25`; absent before it has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub revision: Option<String>,
    /// How messages travel to it; absent before it has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<UpstreamWire>,
    /// Since when the state is what it is.
    pub since: Time,
    /// What is wrong or not as declared, and what to do; absent when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
    /// Tools that are kept back because they are not what was approved: the first 8 by name, and at most 64 of all
    /// upstreams together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub withheld: Vec<WithheldTool>,
    /// How many are kept back; absent when none is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub withheld_count: i32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &i32) -> bool {
    *count == 0
}

/// A tool whose definition is not the one that was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct WithheldTool {
    /// The upstream's name of it.
    #[schemars(length(max = 128))]
    pub tool: String,
    /// The parts that changed.
    #[schemars(length(max = 5))]
    pub changed: Vec<DefinitionPart>,
    /// What changed in them; empty where nobody knows the approved definition any more.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 400))]
    pub difference: String,
}

/// A part of a tool's definition that can change by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DefinitionPart {
    /// What a model reads: `title` and `description`.
    Description,
    /// `inputSchema`.
    InputSchema,
    /// `outputSchema`.
    OutputSchema,
    /// `annotations`.
    Annotations,
    /// Everything else: `icons`, `_meta`, what nobody knows yet.
    Other,
}

/// Whether an upstream can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UpstreamState {
    /// Its tools can be called; a pod that has just started may still be asking.
    Connected,
    /// It has not been asked yet, or its program is starting.
    Connecting,
    /// Some pod cannot use it; it is asked again by itself.
    Unreachable,
    /// It is not tried: its declaration is refused, or the API server refuses its objects.
    Refused,
}

/// How messages travel to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UpstreamWire {
    /// Each answer in the response to its POST (2025-03-26 and later).
    StreamableHttp,
    /// Every answer on one stream of events (2024-11-05).
    HttpSse,
    /// Lines into a program, and lines out of it.
    Stdio,
}
