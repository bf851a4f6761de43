//! What autoscaling promises, on pods whose load is given.

mod promises;
mod properties;

use super::{History, PANIC, Policy, Recommendation, TICK, recommend};
use mcpfleet_config::stream::{Serving, Signals};
use std::time::Duration;

fn policy() -> Policy {
    Policy {
        min: 1,
        max: 100,
        concurrency: 10,
        target_queue_wait: Duration::from_millis(250),
        scale_down_delay: Duration::from_mins(5),
    }
}

/// What one pod has to do for a while.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    running: u32,
    blocked: u32,
    queued: u32,
    streams: u32,
    /// Calls refused a tick.
    refused: u64,
    serving: Serving,
}

fn running(running: u32) -> Load {
    Load { running, ..Load::default() }
}

/// A server whose pods report each tick.
struct Bench {
    history: History,
    policy: Policy,
    now: Duration,
    replicas: u32,
    signals: Vec<Signals>,
}

impl Bench {
    fn new(replicas: u32) -> Self {
        let (history, now) = (History::default(), Duration::from_hours(1));
        Self { history, policy: policy(), now, replicas, signals: Vec::new() }
    }

    /// One tick in which pods had these loads; those that are `None` did not report.
    fn tick(&mut self, loads: &[Option<Load>]) -> Recommendation {
        self.now += TICK;
        self.signals.resize(loads.len(), Signals::default());
        for (signals, load) in self.signals.iter_mut().zip(loads) {
            *signals = after(signals, &load.unwrap_or_default());
        }
        let report =
            |(at, load): (usize, &Option<Load>)| (format!("pod-{at:03}"), load.map(|_| self.signals[at]));
        let reports: Vec<_> = loads.iter().enumerate().map(report).collect();
        self.history.observe(self.now, &reports);
        recommend(&mut self.history, &self.policy, self.now, self.replicas)
    }

    /// The same load for a while, the number of pods left alone.
    fn keep(&mut self, loads: &[Load], ticks: u32) -> Recommendation {
        let loads: Vec<_> = loads.iter().copied().map(Some).collect();
        (1..ticks).for_each(|_| drop(self.tick(&loads)));
        self.tick(&loads)
    }

    /// A load of so many calls, spread over as many pods as are recommended; the numbers that there were.
    fn follow(&mut self, calls: u32, ticks: u32) -> Vec<u32> {
        (0..ticks).map(|_| self.follow_once(calls)).collect()
    }

    fn follow_once(&mut self, calls: u32) -> u32 {
        let (each, rest) = (calls / self.replicas, calls % self.replicas);
        let loads: Vec<_> = (0..self.replicas)
            .map(|at| spread(each + u32::from(at < rest), self.policy.concurrency))
            .map(Some)
            .collect();
        self.replicas = self.tick(&loads).replicas;
        self.replicas
    }
}

/// What of these calls one pod runs, keeps in its queue of 40, and refuses.
fn spread(calls: u32, concurrency: u32) -> Load {
    let running = calls.min(concurrency);
    let queued = (calls - running).min(40);
    Load { running, queued, refused: u64::from(calls - running - queued), ..Load::default() }
}

/// A pod's report after a tick of this load, with calls of 1 s.
fn after(before: &Signals, load: &Load) -> Signals {
    let ms = u64::try_from(TICK.as_millis()).unwrap();
    let active = load.running.saturating_sub(load.blocked);
    Signals {
        uptime_ms: before.uptime_ms + ms,
        running: load.running,
        blocked: load.blocked,
        queued: load.queued,
        streams: load.streams,
        running_ms: before.running_ms + ms * u64::from(active),
        queued_ms: before.queued_ms + ms * u64::from(load.queued),
        finished: before.finished + 2 * u64::from(active),
        service_ms: before.service_ms + 2_000 * u64::from(active),
        refused: before.refused + load.refused,
        concurrency: 10,
        queue_length: 40,
        max_streams: 100,
        serving: load.serving,
    }
}

fn ticks(time: Duration) -> u32 {
    u32::try_from(time.as_secs() / TICK.as_secs()).unwrap()
}

/// Until there is enough history to act upon.
fn warm_up() -> u32 {
    ticks(PANIC) + 1
}
