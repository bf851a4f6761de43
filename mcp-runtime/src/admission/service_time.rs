//! How long calls take, and from that how long a refused caller should wait.

use std::time::Duration;

/// Weight of the newest call in the mean: about the last twenty count.
const WEIGHT: f64 = 0.1;
/// What a call is taken to need before one has finished.
const FIRST_GUESS: f64 = 1.0;
/// Bounds of the answer, in s. A client that honours Retry-After exactly should neither hammer nor give up.
const RETRY_AFTER: std::ops::RangeInclusive<u64> = 1..=30;

/// Moving mean of the time from admission to the last byte.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceTime {
    mean: Option<f64>,
}

impl ServiceTime {
    /// One more call is done.
    pub fn record(&mut self, took: Duration) {
        let took = took.as_secs_f64();
        self.mean = Some(self.mean.map_or(took, |mean| mean + WEIGHT * (took - mean)));
    }

    /// When a call that is refused now would find a place: the line ahead of it, served `concurrency` at a time.
    pub fn retry_after(&self, waiting: u32, concurrency: u32) -> Duration {
        let ahead = f64::from(waiting) + 1.0;
        let wait = self.mean.unwrap_or(FIRST_GUESS) * ahead / f64::from(concurrency.max(1));
        let seconds = Duration::try_from_secs_f64(wait.ceil()).map_or(u64::MAX, |wait| wait.as_secs());
        Duration::from_secs(seconds.clamp(*RETRY_AFTER.start(), *RETRY_AFTER.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_line_of_slow_calls_means_a_long_wait() {
        let mut time = ServiceTime::default();
        assert_eq!(time.retry_after(0, 64).as_secs(), 1);
        (0..200).for_each(|_| time.record(Duration::from_secs(2)));
        assert_eq!(time.retry_after(19, 10).as_secs(), 4);
        assert_eq!(time.retry_after(1_000, 1).as_secs(), 30);
    }

    proptest! {
        #[test]
        fn the_answer_is_bounded_and_grows_with_the_line(
            took in prop::collection::vec(0_u64..1_000_000, 0..20), waiting in 0_u32..1_000_000, concurrency in 0_u32..70_000,
        ) {
            let mut time = ServiceTime::default();
            for ms in took {
                time.record(Duration::from_millis(ms));
            }
            let answer = time.retry_after(waiting, concurrency);
            prop_assert!(RETRY_AFTER.contains(&answer.as_secs()));
            prop_assert!(answer <= time.retry_after(waiting + 1, concurrency));
        }
    }
}
