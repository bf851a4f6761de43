//! The formula: how many pods the load needs, whatever runs now.
//!
//! The windows, the panic and their numbers are those of Knative's KPA; what is added is what it cannot know: a queue
//! per pod that is bounded, streams that take no place of a call, and calls that wait further down.

use super::{
    History, PANIC, Policy, STABLE, STREAM_UTILISATION,
    history::{Growth, Sample},
};
use std::time::Duration;

/// Why the number is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The number fits, or waits for `scaleDownDelay` or the pace of falling.
    Steady,
    /// The mean load of a minute needs more.
    Load,
    /// Load has at least doubled within seconds; or had, less than a minute ago.
    Panic,
    /// Those that wait now need more, to wait no longer than they should.
    QueueWait,
    /// Open streams need more.
    Streams,
    /// Queues are full or refuse: the demand is not known, and what serves is doubled.
    Saturated,
    /// Fewer have been enough for `scaleDownDelay`.
    Surplus,
    /// `minReplicas` or `maxReplicas` decided.
    Bounds,
    /// Too little is known: most pods have not reported, or not for long enough.
    Frozen,
    /// `spec.replicas` is 0: stopped by hand.
    Stopped,
}

impl Reason {
    /// Its name in conditions and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Steady => "Steady",
            Self::Load => "Load",
            Self::Panic => "Panic",
            Self::QueueWait => "QueueWait",
            Self::Streams => "Streams",
            Self::Saturated => "Saturated",
            Self::Surplus => "Surplus",
            Self::Bounds => "Bounds",
            Self::Frozen => "Frozen",
            Self::Stopped => "Stopped",
        }
    }
}

/// What the load needs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Need {
    pub(super) pods: u32,
    /// Pods whose load is not known: on the way down each is taken to be needed.
    pub(super) unknown: u32,
    pub(super) reason: Reason,
    pub(super) why: String,
}

/// The need at `now`. Too little known: what there is.
pub(super) fn estimate(history: &mut History, policy: &Policy, now: Duration, replicas: u32) -> Need {
    let frozen = |why| Need { pods: replicas, unknown: 0, reason: Reason::Frozen, why };
    let Some(census) = history.census(now).filter(|census| census.expected > 0) else {
        return frozen("no pod has reported".to_owned());
    };
    if census.mostly_silent() {
        return frozen(format!("{} of {} pods have reported", census.reporting, census.expected));
    }
    let Some(newest) = history.newest() else {
        return frozen(format!("pods have reported for less than {} s", PANIC.as_secs()));
    };
    let unknown = census.expected - census.reporting;
    let (pods, reason, why) = greatest(history, policy, now, replicas, &newest);
    Need { pods, unknown, reason, why }
}

/// The greatest of what each part asks for; among equals the first.
fn greatest(
    history: &mut History,
    policy: &Policy,
    now: Duration,
    replicas: u32,
    newest: &Sample,
) -> (u32, Reason, String) {
    let (stable, recent) = (history.load(now, STABLE), history.load(now, PANIC));
    let (calm, sudden) = (whole(stable / policy.per_pod()), whole(recent / policy.per_pod()));
    let waiting = for_those_who_wait(newest, history.service_time(), policy);
    let streams = for_streams(newest);
    let doubled = sudden >= newest.serving.min(replicas).max(1).saturating_mul(2);
    if doubled || newest.saturated > 0 {
        history.panic = Some(now + STABLE);
    }
    let panics = history.panic.is_some_and(|until| now < until);
    let grown = growth(history, now, newest, panics);

    let mut best = (calm, Reason::Load);
    let parts = [
        (sudden, Reason::Panic),
        (waiting, Reason::QueueWait),
        (streams, Reason::Streams),
        (grown, Reason::Saturated),
    ];
    for part in parts.into_iter().filter(|(_, reason)| panics || *reason != Reason::Panic) {
        if part.0 > best.0 {
            best = part;
        }
    }
    let aim = format!("{:.1} calls a pod", policy.per_pod());
    let why = match best.1 {
        Reason::Panic => format!("{recent:.1} calls over {} s, at {aim}", PANIC.as_secs()),
        Reason::QueueWait => format!("{:.1} calls run and {:.1} wait", newest.running, newest.queued),
        Reason::Streams => format!("{} streams are open", newest.streams),
        Reason::Saturated => {
            format!("queues of {} of {} pods are full or refuse", newest.saturated, newest.serving)
        }
        _ => format!("{stable:.1} calls over {} s, at {aim}", STABLE.as_secs()),
    };
    (best.0, best.1, why)
}

/// So many that those who wait start within the target: the places that free up in that time serve some of them.
/// One place for each is enough, however long calls run.
fn for_those_who_wait(newest: &Sample, service: Duration, policy: &Policy) -> u32 {
    let target = policy.target_queue_wait.as_secs_f64().max(0.001);
    let places = newest.running + newest.queued * (service.as_secs_f64() / target).min(1.0);
    whole(places / f64::from(policy.concurrency.max(1)))
}

/// Streams take no place of a call, and calls none of a stream.
fn for_streams(newest: &Sample) -> u32 {
    let per_pod = newest.max_streams.map(|bound| STREAM_UTILISATION * f64::from(bound));
    per_pod.map_or(0, |per_pod| whole(f64::from(newest.streams) / per_pod))
}

/// A pod whose queue is full stands for two, since nobody knows how many more would have come. The next step is not
/// made before this one can have had its effect: pods that do not report yet are not doubled, and a queue that was
/// full needs a moment to empty.
fn growth(history: &mut History, now: Duration, newest: &Sample, panics: bool) -> u32 {
    let last = history.growth.filter(|_| panics);
    let due = last.is_none_or(|growth| now.saturating_sub(growth.at) >= PANIC);
    let mut growth = match last {
        Some(growth) if newest.saturated == 0 || !due => growth,
        _ => Growth { at: now, from: newest.serving, pods: last.map_or(0, |last| last.pods) },
    };
    if newest.saturated > 0 {
        growth.pods = growth.pods.max(growth.from.saturating_add(newest.saturated));
    }
    history.growth = (growth.pods > 0).then_some(growth);
    growth.pods
}

/// Rounded up to whole pods; beyond any bound when it is more than there are numbers.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is meant"
)]
fn whole(pods: f64) -> u32 {
    // Sums of means are off by their last bits: 2.0000000001 pods are 2.
    (pods - 1e-9).ceil().max(0.0) as u32
}
