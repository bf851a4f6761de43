//! The gate in front of every write: open only while this process provably holds the lease.
//!
//! Each renewal that the API server confirms moves a deadline on the monotonic clock, which goes on while a
//! process is stopped. So a leader that was frozen past its lease finds the gate shut on its first write,
//! before it has even noticed that it lost.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Shared by the election, which moves it, and the client, which asks it.
#[derive(Debug)]
pub struct Fence {
    identity: String,
    /// How long a renewal allows writes.
    validity: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    leading: bool,
    deadline: Option<Instant>,
}

impl Fence {
    /// Shut until a renewal for `identity` is confirmed and [`Fence::open`] is called.
    pub fn new(identity: String, validity: Duration) -> Self {
        Self { identity, validity, state: Mutex::default() }
    }

    /// Until when writes are allowed; `None` while they are not.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let state = self.state();
        state.deadline.filter(|deadline| state.leading && *deadline > now)
    }

    /// The API server has confirmed a renewal that was sent at `sent`, and names `holder`.
    pub fn confirmed(&self, holder: Option<&str>, sent: Instant) {
        let mut state = self.state();
        state.deadline =
            if holder == Some(self.identity.as_str()) { Some(sent + self.validity) } else { None };
    }

    /// The election is won.
    pub fn open(&self) {
        self.state().leading = true;
    }

    /// The election is lost, or leadership is given up.
    pub fn shut(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALIDITY: Duration = Duration::from_secs(12);

    #[test]
    fn a_frozen_leader_finds_it_shut() {
        let fence = Fence::new("a".into(), VALIDITY);
        let start = Instant::now();
        fence.confirmed(Some("a"), start);
        assert_eq!(fence.deadline(start), None, "not before the election is won");
        fence.open();
        assert_eq!(fence.deadline(start + VALIDITY / 2), Some(start + VALIDITY));
        assert_eq!(fence.deadline(start + VALIDITY), None);
        fence.confirmed(Some("a"), start + VALIDITY);
        assert_eq!(fence.deadline(start + VALIDITY), Some(start + VALIDITY * 2));
    }

    #[test]
    fn another_holder_shuts_it() {
        let fence = Fence::new("a".into(), VALIDITY);
        let start = Instant::now();
        fence.open();
        fence.confirmed(Some("a"), start);
        fence.confirmed(Some("b"), start);
        assert_eq!(fence.deadline(start), None);
        fence.confirmed(Some("a"), start);
        fence.shut();
        assert_eq!(fence.deadline(start), None);
    }
}
