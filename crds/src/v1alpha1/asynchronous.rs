//! Tools whose calls are tasks.

use super::DurationString;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Calls of the tool are tasks: one request starts the work, others ask for its state and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct AsyncCalls {
    /// How long a task is kept after its creation, work and result. It takes the place of `timeout`, which then bounds
    /// only the wait for a place in execution and calls of clients that wait for the result. 1s to 24h; default 1h.
    #[serde(default = "default_ttl")]
    pub ttl: DurationString,
}

fn default_ttl() -> DurationString {
    DurationString::from("1h")
}
