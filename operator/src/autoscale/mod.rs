//! How many pods a server needs, from what its pods report. Pure but for [`scaler`], which looks and acts; [`act`]
//! says what follows from a number.
//!
//! In, every [`TICK`]: each pod's `Signals` ([`History::observe`]). Out: a number and why ([`recommend`]), and who
//! goes first when it is smaller ([`victims`]). The simulator of `docs/autoscaling.md` runs this same code.
//!
//! [`load`] turns two reports of a pod into what happened between them; [`history`] keeps what the windows need;
//! [`need`] is the formula; [`recommend`](mod@recommend) is how fast the number may follow it.

pub mod act;
pub mod history;
pub mod load;
pub mod need;
pub mod recommend;
pub mod scaler;
pub mod victims;

pub use history::History;
pub use load::{PodId, PodLoad};
pub use need::Reason;
pub use recommend::{Recommendation, recommend};
pub use scaler::{Activity, Autoscaler, run};
pub use victims::{Candidate, victims};

use mcpfleet_crds::compile::Scaling;
use std::time::Duration;

/// How often pods are looked at.
pub const TICK: Duration = Duration::from_secs(2);
/// What is averaged while all is calm.
pub const STABLE: Duration = Duration::from_mins(1);
/// What is averaged when load jumps, and the least history that is acted upon.
pub const PANIC: Duration = Duration::from_secs(6);
/// The share of a pod's concurrency that is aimed at: the rest is for the unevenness of arrivals.
pub const UTILISATION: f64 = 0.7;
/// The share of a pod's bound of streams that is aimed at.
pub const STREAM_UTILISATION: f64 = 0.8;

/// What the user wants of the scaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Fewest pods.
    pub min: u32,
    /// Most pods.
    pub max: u32,
    /// Calls that one pod runs well at once.
    pub concurrency: u32,
    /// How long a call may wait for admission.
    pub target_queue_wait: Duration,
    /// How long fewer pods must have been enough.
    pub scale_down_delay: Duration,
}

impl From<Scaling> for Policy {
    fn from(scaling: Scaling) -> Self {
        Self {
            min: scaling.min_replicas,
            max: scaling.max_replicas,
            concurrency: scaling.concurrency,
            target_queue_wait: Duration::from_millis(scaling.target_queue_wait_ms),
            scale_down_delay: Duration::from_millis(scaling.scale_down_delay_ms),
        }
    }
}

impl Policy {
    /// The load that one pod should have, in calls.
    fn per_pod(&self) -> f64 {
        UTILISATION * f64::from(self.concurrency.max(1))
    }
}

#[cfg(test)]
mod tests;
