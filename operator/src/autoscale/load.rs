//! What happened on one pod between two of its reports.

use mcpfleet_config::stream::{Serving, Signals};
use std::time::Duration;

/// A pod, by its uid.
pub type PodId = String;

/// From this share of its bound a queue says no more how many would wait: the others are refused.
const SATURATED: f64 = 0.9;

/// The load of one pod over the time since its report before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PodLoad {
    /// Calls that ran and waited for nothing further down, on average.
    pub running: f64,
    /// Calls that waited for admission, on average, less the share that would only wait further down.
    pub queued: f64,
    /// Calls that ended after they ran.
    pub finished: u64,
    /// Time that these ran, together.
    pub service: Duration,
    /// Calls that were refused, less the share that would only wait further down.
    pub refused: f64,
    /// Notification streams that are open.
    pub streams: u32,
    /// Bound of `streams`.
    pub max_streams: u32,
    /// Whether more would have come than `running` and `queued` show.
    pub demand: Demand,
    /// Whether it takes new clients.
    pub serving: Serving,
}

/// Whether the numbers say all that callers wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// They do.
    Known,
    /// The queue is at its bound, or has refused: they are only the least that is wanted.
    Unknown,
}

impl PodLoad {
    /// The load between two reports of a pod. Without one before, or with the same one again, it is that of the
    /// moment: a pod reports when something changes.
    pub fn between(before: Option<&Signals>, now: &Signals) -> Self {
        match before {
            // Counters begin at 0 with the process, so that since a restart they are differences themselves.
            Some(before) if restarted(before, now) => Self::since(&Signals::default(), now),
            Some(before) if now.uptime_ms > before.uptime_ms => Self::since(before, now),
            _ => Self::since(now, now),
        }
    }

    fn since(before: &Signals, now: &Signals) -> Self {
        let helped = share_that_pods_help(now);
        let span = now.uptime_ms.saturating_sub(before.uptime_ms);
        let running = mean(now.running_ms.saturating_sub(before.running_ms), span);
        let queued = mean(now.queued_ms.saturating_sub(before.queued_ms), span);
        let refused = now.refused.saturating_sub(before.refused);
        Self {
            running: running.unwrap_or_else(|| f64::from(now.running.saturating_sub(now.blocked))),
            queued: queued.unwrap_or_else(|| f64::from(now.queued)) * helped,
            finished: now.finished.saturating_sub(before.finished),
            service: Duration::from_millis(now.service_ms.saturating_sub(before.service_ms)),
            refused: count(refused) * helped,
            streams: now.streams,
            max_streams: now.max_streams,
            demand: demand(now, refused, helped),
            serving: now.serving,
        }
    }
}

/// Uptime may have passed the old one by the time that a process that restarted is heard of: look at all that only
/// grows.
fn restarted(before: &Signals, now: &Signals) -> bool {
    let grows = |signals: &Signals| {
        let Signals { uptime_ms, running_ms, queued_ms, finished, service_ms, refused, .. } = *signals;
        [uptime_ms, running_ms, queued_ms, finished, service_ms, refused]
    };
    grows(before).iter().zip(grows(now)).any(|(before, now)| now < *before)
}

/// Who waits for admission behind calls that wait further down will do as they do.
fn share_that_pods_help(now: &Signals) -> f64 {
    if now.running == 0 {
        return 1.0;
    }
    f64::from(now.running.saturating_sub(now.blocked)) / f64::from(now.running)
}

/// When most calls wait further down, a full queue says nothing of the number of pods.
fn demand(now: &Signals, refused: u64, helped: f64) -> Demand {
    let full = now.queue_length > 0 && f64::from(now.queued) >= SATURATED * f64::from(now.queue_length);
    if (full || refused > 0) && helped >= 0.5 { Demand::Unknown } else { Demand::Known }
}

fn mean(call_ms: u64, span_ms: u64) -> Option<f64> {
    (span_ms > 0)
        .then(|| Duration::from_millis(call_ms).as_secs_f64() / Duration::from_millis(span_ms).as_secs_f64())
}

/// A counter's difference; more than 4 billion in one interval are not told apart.
pub(super) fn count(difference: u64) -> f64 {
    f64::from(u32::try_from(difference).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signals(uptime_ms: u64) -> Signals {
        Signals { uptime_ms, queue_length: 10, concurrency: 4, max_streams: 100, ..Signals::default() }
    }

    #[test]
    fn a_report_says_what_happened_however_long_the_last_was_ago() {
        let before =
            Signals { running_ms: 5_000, queued_ms: 100, finished: 7, service_ms: 70, ..signals(10_000) };
        let now = Signals {
            running_ms: 35_000,
            queued_ms: 2_100,
            finished: 10,
            service_ms: 130,
            ..signals(20_000)
        };
        let load = PodLoad::between(Some(&before), &now);
        assert_eq!((load.running, load.queued), (3.0, 0.2));
        assert_eq!((load.finished, load.service), (3, Duration::from_millis(60)));
    }

    #[test]
    fn the_first_report_and_the_same_again_speak_of_the_moment() {
        let now =
            Signals { running: 3, blocked: 1, queued: 2, refused: 9, running_ms: 1 << 40, ..signals(10_000) };
        for before in [None, Some(&now)] {
            let load = PodLoad::between(before, &now);
            assert_eq!((load.running, load.refused, load.demand), (2.0, 0.0, Demand::Known));
        }
    }

    #[test]
    fn a_restart_of_a_pods_counters_is_no_negative_load() {
        let before =
            Signals { running_ms: 900_000, finished: 50, service_ms: 9_000, refused: 4, ..signals(800_000) };
        let quick = Signals { running_ms: 4_000, finished: 2, service_ms: 20, ..signals(2_000) };
        let late = Signals { uptime_ms: 900_000, running_ms: 450_000, ..quick };
        let load = |now| PodLoad::between(Some(&before), now);
        assert_eq!((load(&quick).running, load(&quick).finished), (2.0, 2));
        assert_eq!(
            (load(&late).running, load(&late).finished),
            (0.5, 2),
            "its uptime has passed the old one"
        );
    }

    #[test]
    fn calls_that_wait_further_down_and_the_queue_behind_them_do_not_count() {
        let now = Signals { running: 4, blocked: 4, queued: 10, refused: 3, ..signals(2_000) };
        let load = PodLoad::between(Some(&signals(0)), &Signals { queued_ms: 20_000, ..now });
        assert_eq!((load.running, load.queued, load.refused), (0.0, 0.0, 0.0));
        assert_eq!(load.demand, Demand::Known);
    }

    #[test]
    fn a_queue_at_its_bound_and_a_refusal_hide_demand() {
        let full = Signals { running: 4, queued: 9, ..signals(2_000) };
        let nearly = Signals { queued: 8, ..full };
        let refused = Signals { refused: 1, ..nearly };
        let demand = |now: &Signals| PodLoad::between(Some(&signals(0)), now).demand;
        assert_eq!(
            [demand(&full), demand(&nearly), demand(&refused)],
            [Demand::Unknown, Demand::Known, Demand::Unknown]
        );
        assert_eq!(
            demand(&Signals { queued: 0, queue_length: 0, ..full }),
            Demand::Known,
            "there is no queue"
        );
    }
}
