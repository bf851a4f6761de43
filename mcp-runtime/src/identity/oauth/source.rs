//! One issuer's keys: fetched, kept, fetched again.
//!
//! Callers wait for a fetch only when there are no keys yet, or when a token names one that is not among them, which is
//! how rotation shows; the latter at most once in [`PAUSE`], or anybody could have us ask for ever. Old keys are used
//! while new ones are fetched, and for as long as none can be had.

use super::{discovery, jwks::KeySet};
use crate::egress::Egress;
use arc_swap::ArcSwapOption;
use jsonwebtoken::{Algorithm, DecodingKey};
use mcpfleet_config::Issuer;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};

/// After this long keys are fetched anew in the background.
const FRESH: Duration = Duration::from_mins(5);
/// Pause between fetches for keys that a token names, and between fetches in the background that fail.
const PAUSE: Duration = Duration::from_secs(30);
/// Pause between fetches while there are no keys at all.
const PAUSE_WITHOUT: Duration = Duration::from_secs(2);

/// One issuer's keys.
#[derive(Debug)]
pub(super) struct KeySource {
    issuer: Issuer,
    egress: Egress,
    kept: ArcSwapOption<Kept>,
    /// One fetch at a time; those who wait look again before they fetch.
    attempts: Mutex<Attempts>,
    refreshing: AtomicBool,
}

#[derive(Debug)]
struct Kept {
    keys: KeySet,
    at: Instant,
}

#[derive(Debug, Default)]
struct Attempts {
    last: Option<Instant>,
    for_an_unknown: Option<Instant>,
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// The issuer has no such key.
    Unknown,
    /// The issuer's keys were never had.
    Unavailable,
}

/// What a fetch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    NoKeys,
    OldKeys,
    UnknownKey,
}

impl KeySource {
    pub(super) fn new(issuer: Issuer, egress: Egress) -> Self {
        let (kept, attempts, refreshing) = (ArcSwapOption::empty(), Mutex::default(), AtomicBool::new(false));
        Self { issuer, egress, kept, attempts, refreshing }
    }

    /// Begins to fetch.
    pub(super) fn warm_up(self: Arc<Self>) {
        if self.kept.load().is_none() {
            tokio::spawn(async move { self.refresh(Why::NoKeys, None).await });
        }
    }

    /// The key that a token is to be verified with.
    pub(super) async fn key(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<DecodingKey>, KeyError> {
        let mut kept = self.kept.load_full();
        if kept.is_none() {
            self.refreshed(Why::NoKeys, None).await;
            kept = self.kept.load_full();
        }
        let kept = kept.ok_or(KeyError::Unavailable)?;
        if let Some(key) = kept.keys.find(id, algorithm) {
            self.refresh_if_old(&kept);
            return Ok(key);
        }
        self.refreshed(Why::UnknownKey, Some(kept)).await;
        let kept = self.kept.load_full().ok_or(KeyError::Unavailable)?;
        kept.keys.find(id, algorithm).ok_or(KeyError::Unknown)
    }

    fn refresh_if_old(self: &Arc<Self>, kept: &Arc<Kept>) {
        if kept.at.elapsed() < FRESH || self.refreshing.swap(true, Ordering::Relaxed) {
            return;
        }
        let (source, kept) = (self.clone(), kept.clone());
        tokio::spawn(async move {
            source.refresh(Why::OldKeys, Some(kept)).await;
            source.refreshing.store(false, Ordering::Relaxed);
        });
    }

    /// A fetch that goes on when the one who waits for it has left: it is everybody's.
    async fn refreshed(self: &Arc<Self>, why: Why, seen: Option<Arc<Kept>>) {
        let source = self.clone();
        // Fails only when the fetch panicked: then there are no new keys.
        let _ = tokio::spawn(async move { source.refresh(why, seen).await }).await;
    }

    /// Fetches, unless somebody has since `seen`, or it is too soon.
    async fn refresh(&self, why: Why, seen: Option<Arc<Kept>>) {
        let mut attempts = self.attempts.lock().await;
        let newer = match (&*self.kept.load(), &seen) {
            (Some(now), Some(seen)) => !Arc::ptr_eq(now, seen),
            (now, None) => now.is_some(),
            (None, Some(_)) => false,
        };
        if newer || !attempts.may(why, Instant::now()) {
            return;
        }
        match discovery::keys(&self.egress, &self.issuer).await {
            Ok(keys) => {
                tracing::debug!(issuer = self.issuer.issuer, keys = keys.len(), "keys of the issuer fetched");
                self.kept.store(Some(Arc::new(Kept { keys, at: Instant::now() })));
            }
            Err(error) => {
                let with =
                    if self.kept.load().is_some() { "the old keys" } else { "none: its tokens get 503" };
                tracing::warn!(issuer = self.issuer.issuer, %error, with, "keys of the issuer cannot be had");
            }
        }
    }
}

impl Attempts {
    /// Whether it is time, and if so, that it was done.
    fn may(&mut self, why: Why, now: Instant) -> bool {
        let (before, pause) = match why {
            Why::NoKeys => (self.last, PAUSE_WITHOUT),
            Why::OldKeys => (self.last, PAUSE),
            Why::UnknownKey => (self.for_an_unknown, PAUSE),
        };
        if before.is_some_and(|before| now.duration_since(before) < pause) {
            return false;
        }
        self.last = Some(now);
        if why == Why::UnknownKey {
            self.for_an_unknown = Some(now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_asked_for_at_most_once_in_a_while() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        assert!(attempts.may(Why::NoKeys, start));
        assert!(!attempts.may(Why::NoKeys, start + Duration::from_secs(1)));
        assert!(
            attempts.may(Why::UnknownKey, start + Duration::from_secs(1)),
            "the first rotation is seen at once"
        );
        assert!(!attempts.may(Why::UnknownKey, start + Duration::from_secs(30)));
        assert!(!attempts.may(Why::OldKeys, start + Duration::from_secs(30)));
        assert!(attempts.may(Why::UnknownKey, start + Duration::from_secs(31)));
    }
}
