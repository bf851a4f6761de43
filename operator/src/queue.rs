//! Which objects wait for their reconcile: each key once, one reconcile of a key at a time, failures later and
//! later.
//!
//! Kube's own `Controller` keeps this inside, bound to a store of its own and with a debounce that starts
//! anew at each event: a busy namespace would put its servers off for ever. Here the first event sets the time.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// First wait after a failure.
const MIN_BACKOFF: Duration = Duration::from_millis(200);
/// Longest wait after failures.
const MAX_BACKOFF: Duration = Duration::from_mins(1);

/// What became of a reconcile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing is pending: wait for a change.
    AwaitChange,
    /// Something is pending that no watch will tell.
    After(Duration),
    /// It failed.
    Retry,
}

/// The queue of one controller.
#[derive(Debug)]
pub struct Queue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
    /// How long a key waits for more changes after the first.
    debounce: Duration,
}

#[derive(Debug)]
struct State<K> {
    due: BTreeSet<(Instant, K)>,
    times: HashMap<K, Instant>,
    running: HashSet<K>,
    failures: HashMap<K, u32>,
}

impl<K: Clone + Ord + Hash> Queue<K> {
    /// An empty queue.
    pub fn new(debounce: Duration) -> Self {
        let state = State {
            due: BTreeSet::new(),
            times: HashMap::new(),
            running: HashSet::new(),
            failures: HashMap::new(),
        };
        Self { state: Mutex::new(state), changed: Notify::new(), debounce }
    }

    /// Something about these objects has changed.
    pub fn add(&self, keys: impl IntoIterator<Item = K>) {
        let at = Instant::now() + self.debounce;
        let mut state = self.state();
        for key in keys {
            state.schedule(key, at);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for the next key that is due; it runs until [`Queue::done`].
    pub async fn next(&self) -> K {
        loop {
            let changed = self.changed.notified();
            let popped = self.state().pop(Instant::now());
            match popped {
                Popped::Key(key) => {
                    // Another worker may find another key due.
                    self.changed.notify_one();
                    return key;
                }
                Popped::NotBefore(at) => {
                    let _ = tokio::time::timeout_at(at.into(), changed).await;
                }
                Popped::Nothing => changed.await,
            }
        }
    }

    /// The reconcile of `key` has ended.
    pub fn done(&self, key: &K, next: Next) {
        self.state().finish(key, next, Instant::now());
        self.changed.notify_one();
    }

    /// Keys that wait.
    pub fn depth(&self) -> usize {
        self.state().due.len()
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Popped<K> {
    Key(K),
    NotBefore(Instant),
    Nothing,
}

impl<K: Clone + Ord + Hash> State<K> {
    /// The earlier of two times counts.
    fn schedule(&mut self, key: K, at: Instant) {
        if let Some(known) = self.times.get(&key).copied() {
            if known <= at {
                return;
            }
            self.due.remove(&(known, key.clone()));
        }
        self.times.insert(key.clone(), at);
        self.due.insert((at, key));
    }

    fn pop(&mut self, now: Instant) -> Popped<K> {
        // A key that runs waits for its own end, whatever its time.
        let Some((at, key)) = self.due.iter().find(|(_, key)| !self.running.contains(key)).cloned() else {
            return Popped::Nothing;
        };
        if at > now {
            return Popped::NotBefore(at);
        }
        self.due.remove(&(at, key.clone()));
        self.times.remove(&key);
        self.running.insert(key.clone());
        Popped::Key(key)
    }

    fn finish(&mut self, key: &K, next: Next, now: Instant) {
        self.running.remove(key);
        match next {
            Next::AwaitChange => {
                self.failures.remove(key);
            }
            Next::After(wait) => {
                self.failures.remove(key);
                self.schedule(key.clone(), now + wait);
            }
            Next::Retry => {
                let failures = self.failures.entry(key.clone()).or_default();
                *failures += 1;
                let wait = jittered(backoff(*failures));
                self.schedule(key.clone(), now + wait);
            }
        }
    }
}

fn backoff(failures: u32) -> Duration {
    MIN_BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(MAX_BACKOFF)
}

/// 75 % to 125 %, so that what failed together is not tried together.
fn jittered(wait: Duration) -> Duration {
    let noise =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    wait.mul_f64(0.75 + f64::from(noise % 1_000) / 2_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn popped(state: &mut State<&'static str>, now: Instant) -> Option<&'static str> {
        match state.pop(now) {
            Popped::Key(key) => Some(key),
            Popped::NotBefore(_) | Popped::Nothing => None,
        }
    }

    fn empty() -> State<&'static str> {
        Queue::new(Duration::ZERO).state.into_inner().unwrap()
    }

    #[test]
    fn a_key_waits_once_and_the_first_event_sets_the_time() {
        let (mut state, now) = (empty(), Instant::now());
        let soon = now + Duration::from_millis(20);
        state.schedule("a", soon);
        state.schedule("a", soon + Duration::from_secs(1));
        assert_eq!(popped(&mut state, now), None);
        assert_eq!(popped(&mut state, soon), Some("a"));
        assert_eq!(popped(&mut state, soon + Duration::from_secs(2)), None);
    }

    #[test]
    fn a_key_never_runs_twice_at_once() {
        let (mut state, now) = (empty(), Instant::now());
        state.schedule("a", now);
        assert_eq!(popped(&mut state, now), Some("a"));
        state.schedule("a", now);
        state.schedule("b", now);
        assert_eq!(popped(&mut state, now), Some("b"));
        assert_eq!(popped(&mut state, now), None);
        state.finish(&"a", Next::AwaitChange, now);
        assert_eq!(popped(&mut state, now), Some("a"));
    }

    #[test]
    fn failures_wait_longer_and_longer_within_bounds() {
        assert_eq!(backoff(1), MIN_BACKOFF);
        assert_eq!(backoff(2), MIN_BACKOFF * 2);
        assert_eq!(backoff(u32::MAX), MAX_BACKOFF);
        let (mut state, now) = (empty(), Instant::now());
        state.schedule("a", now);
        popped(&mut state, now);
        state.finish(&"a", Next::Retry, now);
        assert_eq!(popped(&mut state, now + MIN_BACKOFF / 2), None);
        assert_eq!(popped(&mut state, now + MIN_BACKOFF * 2), Some("a"));
        state.finish(&"a", Next::AwaitChange, now);
        assert!(state.failures.is_empty());
    }

    #[tokio::test]
    async fn workers_are_woken() {
        let queue = std::sync::Arc::new(Queue::new(Duration::from_millis(1)));
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move { queue.next().await }
        });
        tokio::task::yield_now().await;
        queue.add(["a"]);
        assert_eq!(waiting.await.unwrap(), "a");
        assert_eq!(queue.depth(), 0);
    }
}
