//! How many pods: pure. The formula and where its numbers come from stand in docs/autoscaling.md.

use super::history::{History, PANIC, Reading, STABLE};
use mcpfleet_crds::compile::Scaling;
use std::time::Duration;

/// Share of a pod's concurrency that is aimed at.
pub const UTILISATION: f64 = 0.7;
/// Share of a pod's notification streams that is aimed at.
const STREAM_UTILISATION: f64 = 0.8;
/// A need of so many times what there is means panic.
const PANIC_FACTOR: u32 = 2;
/// Nothing goes down this long after the last sign of panic.
const PANIC_HOLD: Duration = Duration::from_mins(1);
/// Longest pause between two steps down.
const STEP: Duration = Duration::from_mins(1);

/// What is wanted, from `spec.autoscaling`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Fewest pods.
    pub min: u32,
    /// Most pods.
    pub max: u32,
    /// Calls that one pod runs well at once.
    pub concurrency: f64,
    /// How long a call may wait for admission.
    pub target_queue_wait: Duration,
    /// How long fewer pods must have been enough.
    pub scale_down_delay: Duration,
}

/// Why so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// As many as there are.
    Steady,
    /// Calls of the last minute.
    Load,
    /// Calls of the last seconds: twice as many as there are pods for.
    Panic,
    /// Calls wait longer than they may.
    QueueWait,
    /// Notification streams.
    Streams,
    /// Callers are turned away: how many there are cannot be seen.
    Saturated,
    /// `minReplicas` or `maxReplicas`.
    Bounds,
    /// Fewer have been enough for `scaleDownDelay`.
    Less,
    /// Too few pods report: the number stays.
    Frozen,
    /// `spec.replicas` is 0: stopped by hand.
    Stopped,
}

/// How many pods, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// Pods.
    pub replicas: u32,
    /// Why, for decisions.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

impl From<Scaling> for Policy {
    fn from(scaling: Scaling) -> Self {
        Self {
            min: scaling.min_replicas,
            max: scaling.max_replicas,
            concurrency: f64::from(scaling.concurrency),
            target_queue_wait: Duration::from_millis(scaling.target_queue_wait_ms),
            scale_down_delay: Duration::from_millis(scaling.scale_down_delay_ms),
        }
    }
}

/// Decides after a look at the pods, when `/scale` says `replicas`.
pub fn recommend(history: &mut History, policy: &Policy, now: Duration, replicas: u32) -> Recommendation {
    if history.replicas.is_some_and(|before| replicas < before) {
        history.lowered = Some(now);
    }
    history.replicas = Some(replicas);
    if replicas == 0 {
        return keep(replicas, Reason::Stopped, "stopped by hand");
    }
    let Some(latest) = history.latest().copied().filter(|reading| reading.reported * 2 >= reading.expected.max(1))
    else {
        history.interrupt();
        return keep(replicas, Reason::Frozen, "fewer than half of the pods report");
    };
    history.since.get_or_insert(now);
    let need = need(history, policy, replicas, &latest);
    if matches!(need.reason, Reason::Panic | Reason::Saturated) {
        history.panic_until = Some(now + PANIC_HOLD);
    }
    let wanted = need.replicas.clamp(policy.min, policy.max);
    let peak = history.peak(now, wanted, policy.scale_down_delay);
    if wanted > replicas {
        let reason = if need.replicas < policy.min { Reason::Bounds } else { need.reason };
        return Recommendation { replicas: wanted, reason, message: need.message };
    }
    down(history, policy, now, replicas, peak).unwrap_or_else(|| keep(replicas, Reason::Steady, &need.message))
}

fn keep(replicas: u32, reason: Reason, message: &str) -> Recommendation {
    Recommendation { replicas, reason, message: message.into() }
}

/// Fewer, when that has been enough for long enough; in steps.
fn down(
    history: &History,
    policy: &Policy,
    now: Duration,
    replicas: u32,
    peak: u32,
) -> Option<Recommendation> {
    if replicas > policy.max {
        return Some(keep(policy.max, Reason::Bounds, "above maxReplicas"));
    }
    let long = |since: Option<Duration>, pause: Duration| since.is_some_and(|at| now.saturating_sub(at) >= pause);
    let known = long(history.since, policy.scale_down_delay);
    let calm = history.panic_until.is_none_or(|until| now >= until);
    let rested = history.lowered.is_none() || long(history.lowered, STEP.min(policy.scale_down_delay));
    if peak >= replicas || !known || !calm || !rested {
        return None;
    }
    let step = (replicas / 10).max(1);
    let message = format!("{peak} pods have been enough for {:?}", policy.scale_down_delay);
    Some(Recommendation { replicas: peak.max(replicas - step), reason: Reason::Less, message })
}

/// What the load needs, without bounds and delays.
fn need(history: &History, policy: &Policy, replicas: u32, latest: &Reading) -> Recommendation {
    let mean = |window: Duration, of: fn(&Reading) -> f64| {
        let (sum, count) = history.within(window).fold((0.0, 0.0), |(sum, n), reading| (sum + of(reading), n + 1.0));
        if count > 0.0 { sum / count } else { 0.0 }
    };
    let pods = |demand: f64, each: f64| ceil(demand / each.max(f64::MIN_POSITIVE));
    let aimed = UTILISATION * policy.concurrency;
    let (slow, fast) = (mean(STABLE, |reading| reading.load), mean(PANIC, |reading| reading.load));
    let (running, queued) = (mean(PANIC, |reading| reading.running), mean(PANIC, |reading| reading.queued));
    let catching_up = queued * history.service() / policy.target_queue_wait.as_secs_f64().max(0.001);
    let urgent = pods(fast, aimed);
    let mut needs = vec![
        (pods(slow, aimed), Reason::Load),
        (pods(running + catching_up, policy.concurrency), Reason::QueueWait),
        (pods(latest.streams, STREAM_UTILISATION * latest.max_streams), Reason::Streams),
    ];
    if latest.streams <= 0.0 {
        needs.truncate(2);
    }
    let in_panic = history.panic_until.is_some_and(|until| latest.at < until);
    if in_panic || urgent >= replicas.saturating_mul(PANIC_FACTOR) {
        needs.push((urgent, Reason::Panic));
    }
    // What was added before must have come, or each look would double what is only starting.
    let arrived = latest.reported >= replicas as usize;
    if arrived && history.within(PANIC).any(|reading| reading.saturated) && latest.saturated {
        needs.push((replicas.saturating_mul(2), Reason::Saturated));
    }
    let (replicas, reason) = needs.into_iter().max_by_key(|(pods, _)| *pods).unwrap_or((0, Reason::Steady));
    let message = format!(
        "{running:.0} calls run and {queued:.0} wait; demand {slow:.1} over a minute, {fast:.1} over 6 s; {} streams",
        latest.streams
    );
    Recommendation { replicas, reason, message }
}

/// Demand is never negative, and a cluster never has four billion pods.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ceil(pods: f64) -> u32 {
    // What is a whole number but for rounding needs no further pod.
    (pods - 1e-9).ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}
