//! What is remembered of one server: bounded, whatever its pods say.
//!
//! One [`Sample`] of the whole fleet a tick, for as long as the longest window; the last report of each pod; and the
//! greatest need of `scaleDownDelay`.

use super::{
    PANIC, Policy, STABLE,
    load::{Demand, PodId, PodLoad, count},
};
use mcpfleet_config::stream::{SILENCE, Serving, Signals};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// Most samples kept, for ticks that come faster than they should.
const MAX_SAMPLES: usize = 256;
/// How long a refused caller is told to wait at most: a refusal stands for no more of a pod's time.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);
/// What a call is taken to need before one has finished.
const FIRST_GUESS: Duration = Duration::from_secs(1);

/// What is remembered of one server.
#[derive(Clone, Debug, Default)]
pub struct History {
    pods: HashMap<PodId, Seen>,
    samples: VecDeque<Sample>,
    census: Option<Census>,
    /// Mean time of a call, from when any finished last.
    service: Option<Duration>,
    needs: Needs,
    /// Until when nothing goes down.
    pub(super) panic: Option<Duration>,
    pub(super) growth: Option<Growth>,
    /// The number of pods at the last look, and when it was seen to fall.
    replicas: Option<u32>,
    lowered: Option<Duration>,
}

/// A pod's last report, and when it was first seen.
#[derive(Clone, Copy, Debug)]
struct Seen {
    signals: Signals,
    at: Duration,
}

/// Who was expected, and who reported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Census {
    at: Duration,
    pub(super) expected: u32,
    pub(super) reporting: u32,
}

/// A step that was made because demand was not known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    pub(super) at: Duration,
    /// Pods that served then.
    pub(super) from: u32,
    pub(super) pods: u32,
}

/// The load of all pods in one tick.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    at: Duration,
    span: Duration,
    pub(super) running: f64,
    pub(super) queued: f64,
    refused: f64,
    finished: u64,
    service: Duration,
    pub(super) streams: u32,
    /// Smallest bound of streams.
    pub(super) max_streams: Option<u32>,
    /// Pods that take new clients.
    pub(super) serving: u32,
    /// Pods whose demand is not known.
    pub(super) saturated: u32,
}

impl History {
    /// Takes what the pods said last, at `now` (any clock that does not go back), each [`super::TICK`].
    ///
    /// `pods` are those that ought to report: Ready ones, and those that have a stream. One that is still starting
    /// is not among them, or a burst would freeze the scaler that answers it. `None` is one that has not reported.
    pub fn observe(&mut self, now: Duration, pods: &[(PodId, Option<Signals>)]) {
        let mut before = std::mem::take(&mut self.pods);
        let span = self.census.map_or(Duration::ZERO, |census| now.saturating_sub(census.at));
        let mut sample = Sample { at: now, span, ..Sample::default() };
        let mut reporting = 0;
        for (id, signals) in pods {
            let known = before.remove(id);
            let seen = signals.map(|signals| Seen::again(known, signals, now));
            if let Some(Seen { signals, .. }) = seen.filter(|seen| now.saturating_sub(seen.at) <= SILENCE) {
                reporting += 1;
                sample.add(&PodLoad::between(known.map(|known| known.signals).as_ref(), &signals));
            }
            if let Some(seen) = seen.or(known) {
                self.pods.insert(id.clone(), seen);
            }
        }
        let expected = u32::try_from(pods.len()).unwrap_or(u32::MAX);
        let census = Census { at: now, expected, reporting };
        self.census = Some(census);
        self.keep(sample, &census);
    }

    /// Notes the number of pods: falls are paced from when they were seen.
    pub(super) fn note_replicas(&mut self, now: Duration, replicas: u32) {
        if self.replicas.is_some_and(|before| replicas < before) {
            self.lowered = Some(now);
        }
        self.replicas = Some(replicas);
    }

    /// When the number of pods was last seen to fall.
    pub(super) fn lowered(&self) -> Option<Duration> {
        self.lowered
    }

    /// Notes how many pods were needed at `now`; the most that were within `scaleDownDelay`.
    pub(super) fn most_needed(&mut self, policy: &Policy, now: Duration, pods: u32) -> u32 {
        self.needs.push(now, pods);
        self.needs.most(now, policy.scale_down_delay)
    }

    /// The last look, when it was lately.
    pub(super) fn census(&self, now: Duration) -> Option<Census> {
        self.census.filter(|census| now.saturating_sub(census.at) <= PANIC)
    }

    /// The newest sample, once there are enough to act upon.
    pub(super) fn newest(&self) -> Option<Sample> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        (last.at.saturating_sub(first.at) >= PANIC).then_some(*last)
    }

    /// Mean load of the last `window`: calls that run and wait, and the slots that the refused ones would take.
    pub(super) fn load(&self, now: Duration, window: Duration) -> f64 {
        let within = || self.samples.iter().filter(|sample| now.saturating_sub(sample.at) < window);
        let samples = u32::try_from(within().count()).unwrap_or(u32::MAX).max(1);
        let calls: f64 = within().map(|sample| sample.running + sample.queued).sum();
        let refused: f64 = within().map(|sample| sample.refused).sum();
        let span: Duration = within().map(|sample| sample.span).sum();
        let each = self.service_time().min(MAX_RETRY_AFTER).as_secs_f64();
        calls / f64::from(samples) + refused / span.as_secs_f64().max(1.0) * each
    }

    /// Mean time that a call runs.
    pub(super) fn service_time(&self) -> Duration {
        self.service.unwrap_or(FIRST_GUESS)
    }

    fn keep(&mut self, sample: Sample, census: &Census) {
        if census.mostly_silent() {
            return;
        }
        self.samples.push_back(sample);
        while self.samples.len() > MAX_SAMPLES
            || self.samples.front().is_some_and(|first| sample.at.saturating_sub(first.at) > STABLE)
        {
            self.samples.pop_front();
        }
        let finished: u64 = self.samples.iter().map(|sample| sample.finished).sum();
        if finished > 0 {
            let service: Duration = self.samples.iter().map(|sample| sample.service).sum();
            self.service = Some(service.div_f64(count(finished)));
        }
    }
}

impl Seen {
    /// The same report again is as old as it was.
    fn again(known: Option<Self>, signals: Signals, now: Duration) -> Self {
        match known {
            Some(known) if known.signals == signals => known,
            _ => Self { signals, at: now },
        }
    }
}

impl Census {
    /// Fewer than half have reported: what the others do is not known.
    pub(super) fn mostly_silent(&self) -> bool {
        self.reporting == 0 || self.reporting.saturating_mul(2) < self.expected
    }
}

impl Sample {
    fn add(&mut self, pod: &PodLoad) {
        self.running += pod.running;
        self.queued += pod.queued;
        self.refused += pod.refused;
        self.finished += pod.finished;
        self.service += pod.service;
        self.streams = self.streams.saturating_add(pod.streams);
        if pod.max_streams > 0 {
            self.max_streams =
                Some(self.max_streams.map_or(pod.max_streams, |least| least.min(pod.max_streams)));
        }
        self.serving += u32::from(pod.serving == Serving::Normal);
        self.saturated += u32::from(pod.demand == Demand::Unknown);
    }
}

/// The greatest of recent numbers: a deque whose numbers fall, so that it holds no more than there are numbers.
#[derive(Clone, Debug, Default)]
struct Needs(VecDeque<(Duration, u32)>);

impl Needs {
    fn push(&mut self, now: Duration, pods: u32) {
        while self.0.back().is_some_and(|(_, last)| *last <= pods) {
            self.0.pop_back();
        }
        self.0.push_back((now, pods));
    }

    fn most(&mut self, now: Duration, window: Duration) -> u32 {
        while self.0.front().is_some_and(|(at, _)| now.saturating_sub(*at) > window) {
            self.0.pop_front();
        }
        self.0.front().map_or(0, |(_, pods)| *pods)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_greatest_need_of_the_window_is_remembered_in_bounded_memory(
            pods in prop::collection::vec(0_u32..20, 1..300), window in 0_u64..100,
        ) {
            let mut needs = Needs::default();
            for at in 0..pods.len() {
                needs.push(Duration::from_secs(at as u64), pods[at]);
                let from = at.saturating_sub(usize::try_from(window).unwrap());
                let expected = *pods[from..=at].iter().max().unwrap();
                prop_assert_eq!(needs.most(Duration::from_secs(at as u64), Duration::from_secs(window)), expected);
                prop_assert!(needs.0.len() <= 20);
            }
        }
    }

    #[test]
    fn memory_is_bounded_by_the_pods_that_exist_and_the_longest_window() {
        let mut history = History::default();
        for tick in 0..5_000_u32 {
            let signals = Signals { uptime_ms: u64::from(tick), ..Signals::default() };
            history.observe(Duration::from_millis(10) * tick, &[(format!("pod-{tick}"), Some(signals))]);
        }
        assert_eq!((history.pods.len(), history.samples.len()), (1, MAX_SAMPLES));
    }

    #[test]
    fn a_refused_caller_counts_no_longer_than_until_it_may_be_back() {
        let mut history = History::default();
        let second = Duration::from_secs(1);
        for at in 1..=10_u64 {
            let calls = Signals { finished: at, service_ms: 100_000 * at, refused: at, ..Signals::default() };
            let signals = Signals { uptime_ms: 1_000 * at, ..calls };
            history.observe(Duration::from_secs(at), &[("a".to_owned(), Some(signals))]);
        }
        let load = history.load(10 * second, STABLE);
        assert!((load - 30.0).abs() < 1e-6, "{load}: one a second, 30 s each, though calls take 100 s");
    }

    #[test]
    fn a_report_that_never_changes_is_no_report_after_the_silence_that_means_death() {
        let mut history = History::default();
        let pods = [("a".to_owned(), Some(Signals { uptime_ms: 5, ..Signals::default() }))];
        history.observe(Duration::ZERO, &pods);
        history.observe(SILENCE, &pods);
        assert_eq!(history.census.unwrap().reporting, 1);
        history.observe(SILENCE + Duration::from_millis(1), &pods);
        assert_eq!(history.census.unwrap().reporting, 0);
    }
}
