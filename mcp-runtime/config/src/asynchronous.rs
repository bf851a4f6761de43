//! Tools whose calls are tasks: started by one request, followed by others.

use serde::{Deserialize, Serialize};

/// Calls of a tool are tasks. Format 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AsyncCalls {
    /// How long a task is kept after its creation, work and result, in ms: 1 s to [`MAX_TASK_TTL_MS`].
    pub ttl_ms: u64,
}

/// Shortest time for which a task is kept, in ms.
pub const MIN_TASK_TTL_MS: u64 = 1_000;

/// By which clients that can follow no task ask for one's state.
pub const TASK_STATUS: &str = "task_status";

/// By which they give one up.
pub const TASK_CANCEL: &str = "task_cancel";

/// The tool that such clients start `tool` by.
pub fn task_start(tool: &str) -> String {
    format!("{tool}_start")
}

/// Longest time for which a task is kept, in ms: a day.
pub const MAX_TASK_TTL_MS: u64 = 24 * 60 * 60 * 1_000;

impl AsyncCalls {
    /// What is wrong with it.
    pub fn flaw(self) -> Option<&'static str> {
        let fits = (MIN_TASK_TTL_MS..=MAX_TASK_TTL_MS).contains(&self.ttl_ms);
        (!fits).then_some("is outside 1s to 24h")
    }
}
