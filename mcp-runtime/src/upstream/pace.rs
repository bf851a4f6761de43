//! When an upstream is asked again. Everything is spread by chance: many runtimes that lose one upstream together must
//! not come back to it together.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// How often upstreams are asked, and for how long one that is lost stays listed.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two lists of an upstream that answers and does not say when something changes.
    pub refresh: Duration,
    /// Between two lists of one that does.
    pub refresh_listening: Duration,
    /// From a change that an upstream tells of to the list: a rollout of many tools is one change.
    pub debounce: Duration,
    /// Until the first new attempt after a failure; doubles with each further one.
    pub retry_first: Duration,
    /// The most between two attempts.
    pub retry_most: Duration,
    /// For one hello or one list.
    pub patience: Duration,
    /// How long the tools of an upstream that does not answer stay listed, so that a call says what is wrong instead
    /// of "no such tool".
    pub keep_listed: Duration,
}

/// Whether an upstream's changes come by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Told,
    Untold,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(30),
            refresh_listening: Duration::from_mins(5),
            debounce: Duration::from_millis(100),
            retry_first: Duration::from_secs(1),
            retry_most: Duration::from_secs(30),
            patience: Duration::from_secs(20),
            keep_listed: Duration::from_mins(5),
        }
    }
}

impl Pace {
    /// Until the next list.
    pub(super) fn until_refresh(&self, news: News) -> Duration {
        let base = match news {
            News::Told => self.refresh_listening.max(self.refresh),
            News::Untold => self.refresh,
        };
        spread(base, chance())
    }

    /// Until the next attempt after `failures` in a row, the first being 1.
    pub(crate) fn until_retry(&self, failures: u32) -> Duration {
        spread(self.backoff(failures), chance())
    }

    fn backoff(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.retry_first.saturating_mul(factor).min(self.retry_most)
    }
}

/// `base` less up to a quarter of it. `chance` is between 0 and 1.
fn spread(base: Duration, chance: f64) -> Duration {
    base.mul_f64(1.0 - 0.25 * chance)
}

/// The standard library's hash keys are random; nothing here needs better.
fn chance() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or_default();
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attempts_grow_apart_up_to_a_bound() {
        let pace = Pace::default();
        let seconds = |failures| pace.backoff(failures).as_secs();
        assert_eq!([1, 2, 3, 5, 6, 7, 1000].map(seconds), [1, 2, 4, 16, 30, 30, 30]);
    }

    proptest! {
        #[test]
        fn what_is_spread_stays_near(ms in 1u64..100_000, chance in 0.0..=1.0) {
            let base = Duration::from_millis(ms);
            let spread = spread(base, chance);
            prop_assert!(spread <= base && spread >= base.mul_f64(0.74));
        }
    }
}
