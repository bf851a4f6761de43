//! Sending clients away from a process that goes on: the drain before a scale-down.
//!
//! Not the shutdown, which closes the listener and ends. Here everything is served still, and it can be taken back:
//! readiness says no, HTTP/1.1 answers close their connection, and once the Service has stopped sending new clients,
//! HTTP/2 connections are told to go and notification streams end.

use crate::fleet::Fleet;
use mcpfleet_config::stream::Serving;
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio_util::sync::CancellationToken;

/// Whether new clients are taken.
#[derive(Debug, Default)]
pub struct Retreat {
    /// Changed under the lock of `leaving` only.
    draining: AtomicBool,
    /// Cancelled when connections are told to go; a new one takes its place when that is taken back.
    leaving: Mutex<CancellationToken>,
}

impl Retreat {
    /// Whether new clients are taken.
    pub fn serving(&self) -> Serving {
        if self.draining.load(Ordering::Relaxed) { Serving::Draining } else { Serving::Normal }
    }

    /// New clients are to go elsewhere.
    pub fn begin(&self) {
        let _changing = self.token();
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Connections that are left, and those that still come, are told to go; the streams of `fleet` end. Nothing happens
    /// when the drain was taken back meanwhile.
    pub fn dismiss(&self, fleet: &Fleet) {
        let leaving = self.token();
        if self.serving() == Serving::Draining {
            leaving.cancel();
            fleet.all().values().for_each(|server| server.streams.drain());
        }
    }

    /// New clients are welcome again.
    pub fn take_back(&self, fleet: &Fleet) {
        let mut leaving = self.token();
        self.draining.store(false, Ordering::Relaxed);
        if leaving.is_cancelled() {
            *leaving = CancellationToken::new();
        }
        fleet.all().values().for_each(|server| server.streams.undrain());
    }

    /// For one connection: cancelled when it is to go.
    pub fn leaving(&self) -> CancellationToken {
        self.token().clone()
    }

    fn token(&self) -> MutexGuard<'_, CancellationToken> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_told_only_after_the_dismissal_and_new_ones_no_more_after_it_was_taken_back() {
        let (retreat, fleet) = (Retreat::default(), Fleet::default());
        let early = retreat.leaving();
        retreat.begin();
        assert_eq!((retreat.serving(), early.is_cancelled()), (Serving::Draining, false));
        retreat.dismiss(&fleet);
        assert!(early.is_cancelled() && retreat.leaving().is_cancelled());
        retreat.take_back(&fleet);
        assert_eq!((retreat.serving(), retreat.leaving().is_cancelled()), (Serving::Normal, false));
    }

    #[test]
    fn a_drain_that_is_taken_back_in_time_sends_nobody_away() {
        let (retreat, fleet) = (Retreat::default(), Fleet::default());
        let connection = retreat.leaving();
        retreat.begin();
        retreat.take_back(&fleet);
        retreat.begin();
        assert!(!connection.is_cancelled());
        retreat.take_back(&fleet);
        retreat.dismiss(&fleet);
        assert!(!connection.is_cancelled(), "a goodbye that comes too late");
        retreat.begin();
        retreat.dismiss(&fleet);
        assert!(connection.is_cancelled());
    }
}
