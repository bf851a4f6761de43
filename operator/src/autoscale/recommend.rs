//! How fast the number of pods may follow the need: up at once, down slowly, and not at all while little is known.

use super::{
    History, Policy, STABLE,
    need::{self, Need, Reason},
};
use std::time::Duration;

/// The share of its pods that a server may lose at a time: a tenth, at least one.
const STEP: u32 = 10;

/// How many pods there should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// So many.
    pub replicas: u32,
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

/// How many pods a server should have that has `replicas` (as asked for in `spec.replicas`, draining ones included).
///
/// The same `now` as [`History::observe`], after it. What is recommended may be made at once; a smaller number may
/// also take its time: until `replicas` is seen to have fallen no further step is recommended.
pub fn recommend(history: &mut History, policy: &Policy, now: Duration, replicas: u32) -> Recommendation {
    if replicas == 0 {
        // Nothing that was known before it was stopped says anything of the time when it is started again.
        *history = History::default();
        let message = "stopped: spec.replicas is 0".to_owned();
        return Recommendation { replicas, reason: Reason::Stopped, message };
    }
    history.note_replicas(now, replicas);
    let need = need::estimate(history, policy, now, replicas);
    let careful = need.pods.max(need.pods.saturating_add(need.unknown).min(replicas));
    let lowest = history.most_needed(policy, now, careful);
    let (replicas, reason) = step(history, policy, now, replicas, &need, lowest);
    Recommendation { replicas, reason, message: message(policy, &need, lowest, replicas, reason) }
}

/// The next number, and why that one.
fn step(
    history: &History,
    policy: &Policy,
    now: Duration,
    replicas: u32,
    need: &Need,
    lowest: u32,
) -> (u32, Reason) {
    let bounded = |pods: u32| pods.min(policy.max).max(policy.min);
    let wanted = bounded(need.pods);
    if wanted > replicas {
        return (wanted, if wanted == need.pods { need.reason } else { Reason::Bounds });
    }
    let above = replicas > policy.max;
    let floor = bounded(lowest);
    let calm = if need.reason == Reason::Frozen { Reason::Frozen } else { Reason::Steady };
    if floor >= replicas {
        return (replicas, if need.pods > policy.max { Reason::Bounds } else { calm });
    }
    if !above && history.panic.is_some_and(|until| now < until) {
        return (replicas, Reason::Panic);
    }
    let pace = STABLE.min(policy.scale_down_delay);
    if history.lowered().is_some_and(|at| now.saturating_sub(at) < pace) {
        return (replicas, calm);
    }
    let lower = floor.max(replicas - (replicas / STEP).max(1));
    (lower, if above { Reason::Bounds } else { Reason::Surplus })
}

fn message(policy: &Policy, need: &Need, lowest: u32, replicas: u32, reason: Reason) -> String {
    let Need { pods, why, .. } = need;
    match reason {
        Reason::Frozen => format!("kept at {replicas}: {why}"),
        Reason::Bounds => {
            format!("{replicas}: {pods} needed ({why}), {} to {} allowed", policy.min, policy.max)
        }
        Reason::Steady if lowest < replicas && replicas > policy.min => {
            format!("{replicas}: {lowest} would do ({why}); the next falls when the last step has settled")
        }
        Reason::Steady if *pods < replicas && replicas > policy.min => {
            let delay = policy.scale_down_delay.as_secs();
            format!("{replicas}: {pods} needed now ({why}), {lowest} within the last {delay} s")
        }
        Reason::Panic if *pods < replicas => {
            format!("{replicas}: {pods} needed ({why}), after a jump of load")
        }
        Reason::Surplus => format!("down to {replicas}: {lowest} would do ({why})"),
        _ => format!("{replicas}: {pods} needed ({why})"),
    }
}
