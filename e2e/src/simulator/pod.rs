//! A pod: places, a bounded queue in front of them, and the numbers that it would report.

use mcpfleet_config::stream::{Serving, Signals};
use std::{collections::VecDeque, time::Duration};

/// Calls that a pod runs at once.
pub const CONCURRENCY: u32 = 10;
/// Calls that wait in a pod: four for each place, as by default.
pub const QUEUE: u32 = 40;
/// How long a call waits at most.
pub const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a pod that was deleted may go on.
pub const GRACE: Duration = Duration::from_mins(5);

/// Where a pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not Ready yet.
    Starting,
    /// Told to drain: nobody new, no end set.
    Draining,
    /// Takes calls.
    Ready,
    /// Deleted: nobody new, and cut after [`GRACE`].
    Terminating,
    /// Not there any more.
    Gone,
}

/// One pod.
#[derive(Debug)]
pub struct Pod {
    /// Where it is in its life.
    pub phase: Phase,
    /// When it was made.
    pub born: Duration,
    /// Calls that wait: which, and until when.
    queue: VecDeque<(usize, Duration)>,
    running: u32,
    /// Integrals and counters up to `seen`.
    totals: Signals,
    seen: Duration,
}

/// What happens to a call that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It runs.
    Runs,
    /// It waits, at most until then.
    Waits(Duration),
    /// It may come back after so long.
    Refused(Duration),
}

impl Pod {
    /// A pod that starts.
    pub fn new(now: Duration) -> Self {
        Self {
            phase: Phase::Starting,
            born: now,
            queue: VecDeque::new(),
            running: 0,
            totals: Signals::default(),
            seen: now,
        }
    }

    /// A call comes.
    pub fn arrive(&mut self, now: Duration, call: usize) -> Arrival {
        self.integrate(now);
        if self.running < CONCURRENCY && self.queue.is_empty() {
            self.running += 1;
            Arrival::Runs
        } else if self.waiting() < QUEUE {
            let until = now + QUEUE_TIMEOUT;
            self.queue.push_back((call, until));
            Arrival::Waits(until)
        } else {
            self.totals.refused += 1;
            Arrival::Refused(self.retry_after())
        }
    }

    /// A call that ran `service` has ended; the one that runs in its place.
    pub fn finish(&mut self, now: Duration, service: Duration) -> Option<usize> {
        self.integrate(now);
        self.totals.finished += 1;
        self.totals.service_ms += ms(service);
        let next = self.queue.pop_front().map(|(call, _)| call);
        if next.is_none() {
            self.running -= 1;
        }
        next
    }

    /// The call at the head of the queue, when it has waited as long as it may.
    pub fn give_up(&mut self, now: Duration) -> Option<(usize, Duration)> {
        if self.queue.front()?.1 > now {
            return None;
        }
        self.integrate(now);
        self.totals.refused += 1;
        let (call, _) = self.queue.pop_front()?;
        Some((call, self.retry_after()))
    }

    /// Ends it; so many calls are cut.
    pub fn kill(&mut self) -> u32 {
        self.phase = Phase::Gone;
        let cut = self.running + self.waiting();
        self.queue.clear();
        self.running = 0;
        cut
    }

    /// Whether it has nothing to do.
    pub fn idle(&self) -> bool {
        self.running == 0 && self.queue.is_empty()
    }

    /// What it would report.
    pub fn signals(&self, now: Duration) -> Signals {
        let since = ms(now.saturating_sub(self.seen));
        let serving = if self.phase == Phase::Draining { Serving::Draining } else { Serving::Normal };
        Signals {
            uptime_ms: ms(now.saturating_sub(self.born)),
            running: self.running,
            queued: self.waiting(),
            running_ms: self.totals.running_ms + since * u64::from(self.running),
            queued_ms: self.totals.queued_ms + since * u64::from(self.waiting()),
            concurrency: CONCURRENCY,
            queue_length: QUEUE,
            serving,
            ..self.totals
        }
    }

    fn integrate(&mut self, now: Duration) {
        let Signals { running_ms, queued_ms, .. } = self.signals(now);
        self.totals = Signals { running_ms, queued_ms, ..self.totals };
        self.seen = now;
    }

    /// As the runtime answers: when those ahead will have been served, 1 to 30 s.
    fn retry_after(&self) -> Duration {
        let finished = u32::try_from(self.totals.finished).unwrap_or(u32::MAX);
        let mean = Duration::from_millis(self.totals.service_ms).checked_div(finished);
        let wait = mean.unwrap_or(Duration::from_secs(1)) * (self.waiting() + 1) / CONCURRENCY;
        wait.clamp(Duration::from_secs(1), Duration::from_secs(30))
    }

    fn waiting(&self) -> u32 {
        u32::try_from(self.queue.len()).unwrap_or(u32::MAX)
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
