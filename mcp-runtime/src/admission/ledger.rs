//! What calls have cost so far: integrals and counters that only grow. Pure: time is handed in.
//!
//! Exact, because it is brought up to date at each change of a level: between two changes a level is constant, and its
//! integral a product.

use std::time::Duration;
use tokio::time::Instant;

/// How many at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Calls that run.
    pub running: u32,
    /// Of these, calls that wait for something further down.
    pub blocked: u32,
    /// Calls that wait for admission.
    pub queued: u32,
}

/// The account of one queue.
#[derive(Clone, Copy, Debug)]
pub struct Ledger {
    at: Instant,
    levels: Levels,
    running: Duration,
    queued: Duration,
    service: Duration,
    finished: u64,
    refused: u64,
}

impl Ledger {
    /// Nothing has happened yet.
    pub fn new(now: Instant) -> Self {
        let (levels, none) = (Levels::default(), Duration::ZERO);
        Self { at: now, levels, running: none, queued: none, service: none, finished: 0, refused: 0 }
    }

    /// From `now` on there are so many. `now` never goes back.
    pub fn set(&mut self, now: Instant, levels: Levels) {
        let passed = now.saturating_duration_since(self.at);
        let before = self.levels;
        self.running += passed.saturating_mul(before.running.saturating_sub(before.blocked));
        self.queued += passed.saturating_mul(before.queued);
        self.at = self.at.max(now);
        self.levels = levels;
    }

    /// A call has ended after it ran for so long.
    pub fn finish(&mut self, ran: Duration) {
        self.finished += 1;
        self.service += ran;
    }

    /// A call was refused.
    pub fn refuse(&mut self) {
        self.refused += 1;
    }

    /// How many there are.
    pub fn levels(&self) -> Levels {
        self.levels
    }

    /// Integral of the calls that ran and were not blocked, in call-ms.
    pub fn running_ms(&self) -> u64 {
        ms(self.running)
    }

    /// Integral of the calls that waited, in call-ms.
    pub fn queued_ms(&self) -> u64 {
        ms(self.queued)
    }

    /// Time that calls ran that have ended, in ms.
    pub fn service_ms(&self) -> u64 {
        ms(self.service)
    }

    /// Calls that have ended after they ran.
    pub fn finished(&self) -> u64 {
        self.finished
    }

    /// Calls that were refused.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn levels() -> impl Strategy<Value = Levels> {
        (0_u32..9, 0_u32..9, 0_u32..9).prop_map(|(running, blocked, queued)| {
            let blocked = blocked.min(running);
            Levels { running, blocked, queued }
        })
    }

    proptest! {
        /// Each millisecond asks how many there are, and adds them up.
        #[test]
        fn integrals_are_what_a_count_in_each_millisecond_gives(
            steps in prop::collection::vec((0_u64..40, levels()), 0..50),
            rest in 0_u64..40,
        ) {
            let start = Instant::now();
            let mut ledger = Ledger::new(start);
            let (mut now, mut current, mut running, mut queued) = (0, Levels::default(), 0, 0);
            let last = (rest, Levels::default());
            for (wait, next) in steps.into_iter().chain([last]) {
                for _ in 0..wait {
                    running += u64::from(current.running - current.blocked);
                    queued += u64::from(current.queued);
                }
                now += wait;
                current = next;
                ledger.set(start + Duration::from_millis(now), next);
            }
            prop_assert_eq!((ledger.running_ms(), ledger.queued_ms()), (running, queued));
        }
    }

    #[test]
    fn parts_of_a_millisecond_are_not_lost() {
        let start = Instant::now();
        let mut ledger = Ledger::new(start);
        let one = Levels { running: 1, ..Levels::default() };
        for step in 0..3_000 {
            ledger.set(start + Duration::from_micros(step), one);
            ledger.finish(Duration::from_micros(500));
        }
        assert_eq!((ledger.running_ms(), ledger.service_ms(), ledger.finished()), (2, 1_500, 3_000));
    }
}
