//! The bounds of a server's queue and streams.

use serde::{Deserialize, Serialize};

/// `admission.maxStreams` where a configuration does not say.
pub const DEFAULT_MAX_STREAMS: u32 = 4_096;

/// Bounds of concurrent execution and of waiting for it, per replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Admission {
    /// Calls that run at once. 1..=65,536.
    pub concurrency: u32,
    /// Calls that wait for a place. 0..=1,000,000.
    pub queue_length: u32,
    /// How long a call may wait before it is refused, in ms.
    pub queue_timeout_ms: u64,
    /// Notification streams that may be open at once. 0..=65,536. Format 2.
    #[serde(default = "default_max_streams", skip_serializing_if = "is_default_max_streams")]
    pub max_streams: u32,
}

fn default_max_streams() -> u32 {
    DEFAULT_MAX_STREAMS
}

#[allow(clippy::trivially_copy_pass_by_ref)] // what serde calls it with
fn is_default_max_streams(streams: &u32) -> bool {
    *streams == DEFAULT_MAX_STREAMS
}

impl Admission {
    /// The oldest [`FORMAT`] that can say this.
    pub fn oldest_format(&self) -> u32 {
        if self.max_streams == DEFAULT_MAX_STREAMS { 1 } else { 2 }
    }
}
