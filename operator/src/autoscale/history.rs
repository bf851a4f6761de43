//! What is remembered of one server's load: bounded, whatever happens.

use super::load::{Stretch, busy, is_saturated, stretch};
use mcpfleet_config::stream::Signals;
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// Identity of a pod.
pub type PodId = String;

/// The window for slow changes.
pub(super) const STABLE: Duration = Duration::from_mins(1);
/// The window for fast ones.
pub(super) const PANIC: Duration = Duration::from_secs(6);
/// A reading for each look in the stable window, and some to spare.
const MAX_READINGS: usize = 64;
/// Recommendations that are remembered: one for each look in an hour, if they kept falling.
const MAX_PEAKS: usize = 2_048;

/// Looks that the mean time of a call remembers.
const MEMORY: f64 = 8.0;

/// All pods of a server at one look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) at: Duration,
    /// Demand in calls: those that ran, those that waited, and those that would have run but were refused.
    pub(super) load: f64,
    /// Calls that run now.
    pub(super) running: f64,
    /// Calls that wait now.
    pub(super) queued: f64,
    /// Notification streams.
    pub(super) streams: f64,
    /// Notification streams that one pod takes.
    pub(super) max_streams: f64,
    pub(super) saturated: bool,
    pub(super) expected: usize,
    pub(super) reported: usize,
}

/// What is remembered of one server.
#[derive(Debug, Default)]
pub struct History {
    last: HashMap<PodId, Signals>,
    readings: VecDeque<Reading>,
    /// Mean time of a call in s, moving.
    service: Option<f64>,
    /// Recommendations that no later one has reached, with their times: the first is the greatest.
    peaks: VecDeque<(Duration, u32)>,
    /// Since when load is known without a gap.
    pub(super) since: Option<Duration>,
    pub(super) panic_until: Option<Duration>,
    pub(super) lowered: Option<Duration>,
    pub(super) replicas: Option<u32>,
}

impl History {
    /// A look at all pods that there should be, every 2 s or so; absent is who has not reported.
    pub fn observe(&mut self, now: Duration, pods: &[(PodId, Option<Signals>)]) {
        let mut reading = Reading { at: now, expected: pods.len(), ..Reading::default() };
        let mut ended = Stretch::default();
        let mut refused_rate = 0.0;
        for (pod, signals) in pods {
            let Some(signals) = signals else { continue };
            let stretch = stretch(self.last.get(pod), signals);
            reading.count(signals, &stretch);
            ended.finished += stretch.finished;
            ended.service += stretch.service;
            if stretch.seconds > 0.0 {
                refused_rate += stretch.refused / stretch.seconds;
            }
        }
        self.learn(&ended);
        reading.load += refused_rate * self.service();
        self.last = pods.iter().filter_map(|(pod, signals)| Some((pod.clone(), (*signals)?))).collect();
        self.keep(reading);
    }

    /// Mean time of a call in s. Before one has ended: a second, which errs on the side of more pods.
    pub(super) fn service(&self) -> f64 {
        self.service.unwrap_or(1.0)
    }

    /// The latest look.
    pub(super) fn latest(&self) -> Option<&Reading> {
        self.readings.back()
    }

    /// Looks within `window` before the latest one.
    pub(super) fn within(&self, window: Duration) -> impl Iterator<Item = &Reading> {
        let latest = self.latest().map_or(Duration::ZERO, |latest| latest.at);
        self.readings.iter().filter(move |reading| latest.saturating_sub(reading.at) < window)
    }

    /// Remembers a recommendation; returns the greatest of those within `delay`.
    pub(super) fn peak(&mut self, now: Duration, replicas: u32, delay: Duration) -> u32 {
        while self.peaks.back().is_some_and(|(_, peak)| *peak <= replicas) {
            self.peaks.pop_back();
        }
        self.peaks.push_back((now, replicas));
        while self.peaks.front().is_some_and(|(at, _)| now.saturating_sub(*at) > delay) {
            self.peaks.pop_front();
        }
        if self.peaks.len() > MAX_PEAKS {
            // The greatest but one is forgotten, never the greatest: that would lower too early.
            self.peaks.remove(1);
        }
        self.peaks.front().map_or(replicas, |(_, peak)| *peak)
    }

    /// A gap: what was known of the load says nothing about now.
    pub(super) fn interrupt(&mut self) {
        self.since = None;
    }

    fn learn(&mut self, ended: &Stretch) {
        if ended.finished > 0.0 {
            let mean = ended.service / ended.finished;
            self.service = Some(self.service.map_or(mean, |known| known + (mean - known) / MEMORY));
        }
    }

    fn keep(&mut self, reading: Reading) {
        self.readings.push_back(reading);
        let old = |first: &Reading| reading.at.saturating_sub(first.at) >= STABLE;
        while self.readings.len() > MAX_READINGS || self.readings.front().is_some_and(old) {
            self.readings.pop_front();
        }
    }
}

impl Reading {
    fn count(&mut self, signals: &Signals, stretch: &Stretch) {
        self.reported += 1;
        self.load += stretch.running + stretch.queued;
        self.running += busy(signals);
        self.queued += f64::from(signals.queued);
        self.streams += f64::from(signals.streams);
        self.max_streams = self.max_streams.max(f64::from(signals.max_streams));
        self.saturated |= is_saturated(signals, stretch);
    }
}
