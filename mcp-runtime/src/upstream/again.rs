//! When a request is sent to an upstream again, and how often.
//!
//! | what happened | sent again |
//! |---|---|
//! | the upstream does not know the session (404; 400 as SDKs refuse sessions) | once, in a new session ([`super::connection`]) |
//! | HTTP/2: the stream was refused, or is above the last of a GOAWAY (RFC 9113, section 8.7) | by the HTTP client |
//! | a pooled connection was closed before anything left | by the HTTP client |
//! | no connection | here: nothing was sent |
//! | the connection broke, no answer | here, of a tool with `idempotentHint` whose call has said nothing yet |
//! | anything else | never: it may have taken effect |
//!
//! What is decided here has a budget for each upstream, so that one that fails is not sent many times what it would be
//! sent when well.

use super::connection::ClientError;
use crate::{egress::EgressError, exchange::Caller};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Times that one request is sent again.
pub(super) const TRIES: u32 = 2;
/// What sending again costs; a request earns 1.
const PRICE: u32 = 10;
/// The most that is kept: so many can be sent again at once.
const FULL: u32 = 10 * PRICE;

/// Which requests may be sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// One that provably did not run.
    #[default]
    Unsent,
    /// Also one that may have run: a second time does what the first did.
    Idempotent,
}

/// How much may be sent again to one upstream.
#[derive(Debug)]
pub(super) struct Budget(Mutex<u32>);

impl Default for Budget {
    fn default() -> Self {
        Self(Mutex::new(FULL))
    }
}

impl Budget {
    /// A request is sent for the first time.
    pub(super) fn earn(&self) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (*left + 1).min(FULL);
    }

    /// Whether one may be sent again, which is paid for.
    pub(super) fn spend(&self) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = left.checked_sub(PRICE);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }
}

/// Whether a request that failed so may be sent again.
pub(super) fn may(error: &ClientError, repeat: Repeat, caller: &Caller) -> bool {
    match error {
        ClientError::Egress(EgressError::Connect { .. }) => true,
        // Progress that begins anew, or a question that was answered already, would be wrong.
        ClientError::Egress(EgressError::Interrupted { .. }) | ClientError::NoAnswer => {
            repeat == Repeat::Idempotent && !caller.has_spoken()
        }
        _ => false,
    }
}

/// How long to wait before it is sent for the `attempt`th time again.
pub(super) fn pause(attempt: u32) -> Duration {
    Duration::from_millis(100) * 4_u32.pow(attempt.min(TRIES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_bounds_what_is_sent_again_and_comes_back_with_use() {
        let budget = Budget::default();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
        (0..PRICE - 1).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend() && !budget.spend());
    }
}
