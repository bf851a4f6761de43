//! When a program that keeps ending is started again.

use crate::upstream::Pace;
use std::time::Duration;
use tokio::time::Instant;

/// A process that has lived this long was none that keeps ending.
const LASTING: Duration = Duration::from_secs(30);

/// The row of ends.
#[derive(Debug, Default)]
pub(super) struct Restart {
    failures: u32,
    /// Not before this, and why.
    rest: Option<(Instant, String)>,
}

impl Restart {
    /// A process has ended by itself after it has lived so long. The first time it may be started again at once.
    pub(super) fn ended(&mut self, lived: Duration, pace: &Pace, why: &str) {
        self.failures = if lived >= LASTING { 1 } else { self.failures.saturating_add(1) };
        self.rest = match self.failures {
            ..=1 => None,
            failures => Some((Instant::now() + pace.until_retry(failures - 1), why.to_owned())),
        };
    }

    /// Why it must not be started now, and for how long.
    pub(super) fn resting(&self, now: Instant) -> Option<(&str, Duration)> {
        let (until, why) = self.rest.as_ref()?;
        let left = until.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some((why, left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_keeps_ending_rests_longer_and_longer_and_what_lasts_does_not() {
        let (mut restart, pace, now) = (Restart::default(), Pace::default(), Instant::now());
        let mut rests = Vec::new();
        for _ in 0..8 {
            restart.ended(Duration::from_secs(1), &pace, "why");
            rests.push(restart.resting(now).map_or(0, |(_, left)| left.as_millis()));
        }
        assert_eq!(rests[0], 0);
        assert!((700..=1_000).contains(&rests[1]) && (20_000..=30_000).contains(&rests[7]), "{rests:?}");
        restart.ended(LASTING, &pace, "why");
        assert_eq!(restart.resting(now), None);
    }
}
