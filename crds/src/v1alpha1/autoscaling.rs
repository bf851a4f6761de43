//! `spec.autoscaling`: how many pods, by what they have to do.

use super::DurationString;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Moves `spec.replicas` by the calls that run and wait, as pods report them. It reaches as far as `minReplicas` and
/// `maxReplicas`, and does nothing while `spec.replicas` is 0: a server that was stopped by hand stays stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("self.minReplicas <= self.maxReplicas")
    .message("minReplicas must not be above maxReplicas"))]
pub struct Autoscaling {
    /// Fewest pods. From 1: scaling to zero is not available yet.
    #[serde(default = "default_min_replicas")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_replicas: i32,
    /// Most pods.
    #[schemars(range(min = 1, max = 1000))]
    pub max_replicas: i32,
    /// Calls that one pod runs well at once; 70 % of it is aimed at. At most and by default `admission.concurrency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_536))]
    pub concurrency_per_replica: Option<i32>,
    /// How long a call may wait for admission before more pods are made. 1ms to 24h; default 250ms.
    #[serde(default = "default_target_queue_wait")]
    pub target_queue_wait: DurationString,
    /// How long fewer pods must have been enough before one is taken away; then at most a tenth of them, and at least
    /// one, each minute (each such delay if it is shorter). 1ms to 24h; default 5m.
    #[serde(default = "default_scale_down_delay")]
    pub scale_down_delay: DurationString,
    /// Who moves `replicas`.
    #[serde(default)]
    pub scaler: Scaler,
}

/// Who moves `replicas`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Scaler {
    /// The operator itself.
    #[default]
    Native,
}

fn default_min_replicas() -> i32 {
    1
}

fn default_target_queue_wait() -> DurationString {
    DurationString::from("250ms")
}

fn default_scale_down_delay() -> DurationString {
    DurationString::from("5m")
}
