//! When to dial again. Pure but for the dice.
//!
//! Full jitter: a fleet that loses its operator at one moment must not come back at one moment.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// Longest wait after the first failure. A leader that ends loses a thousand pods at one moment: each of them is a
/// handshake and a review of a token.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait after many.
const MOST: Duration = Duration::from_secs(5);
/// Redirects that are followed without a wait. More mean that two replicas send us to each other.
const REDIRECTS: u32 = 3;

/// Failures in a row.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
    redirects: u32,
}

impl Backoff {
    /// It failed; wait for so long. `chance` is from 0 to 1.
    pub fn failed(&mut self, chance: f64) -> Duration {
        let bound = FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(MOST);
        self.failures = self.failures.saturating_add(1);
        self.redirects = 0;
        bound.mul_f64(chance.clamp(0.0, 1.0))
    }

    /// Sent elsewhere: whether to go there at once.
    pub fn redirected(&mut self) -> bool {
        self.redirects += 1;
        self.redirects <= REDIRECTS
    }

    /// It went well for a while.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
}

/// From 0 to 1. The standard library's hash keys are random; nothing here needs better.
pub fn chance() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or_default();
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_wait_doubles_up_to_a_bound_and_begins_anew_after_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..8).map(|_| backoff.failed(1.0).as_millis()).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000]);
        backoff.succeeded();
        assert_eq!(backoff.failed(1.0).as_millis(), 1_000);
    }

    #[test]
    fn three_redirects_in_a_row_are_followed_and_a_wait_allows_three_more() {
        let mut backoff = Backoff::default();
        assert_eq!([(); 4].map(|()| backoff.redirected()), [true, true, true, false]);
        backoff.failed(0.5);
        assert!(backoff.redirected());
    }

    proptest! {
        #[test]
        fn a_wait_is_anything_up_to_the_bound(failures in 0_u32..100, chance in 0.0..=1.0) {
            let mut backoff = Backoff { failures, redirects: 0 };
            let longest = Backoff { failures, redirects: 0 }.failed(1.0);
            let wait = backoff.failed(chance);
            prop_assert!(wait <= longest && longest <= MOST);
            prop_assert_eq!(wait, longest.mul_f64(chance));
        }
    }
}
