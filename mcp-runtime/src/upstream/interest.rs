//! Which resources somebody wants to hear of, counted: an upstream is asked once, however many want it.

use mcpfleet_protocol::server::Listen;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// Most resources of one upstream that are subscribed to at a time.
pub const MAX_RESOURCES: usize = Listen::MAX_UPDATES;

/// The interests in one upstream. They outlive its connections.
#[derive(Debug, Default)]
pub(super) struct Interests {
    counts: Mutex<BTreeMap<String, usize>>,
    /// Bumped when the set of resources changes.
    changed: watch::Sender<u64>,
    /// What the upstream has been asked for by now.
    met: watch::Sender<BTreeSet<String>>,
}

/// While it lives, changes of one resource come out of [`super::Pool::updates`].
#[derive(Debug)]
pub struct Interest {
    interests: Arc<Interests>,
    uri: String,
}

impl Interest {
    /// Waits until the upstream has been asked, so that no change after this is missed; at most [`PATIENCE`].
    pub async fn met(&self) {
        let mut met = self.interests.met.subscribe();
        // An upstream that does not answer now is asked when it does: whoever waits is not kept for it.
        let _ = timeout(PATIENCE, met.wait_for(|uris| uris.contains(&self.uri))).await;
    }
}

/// How long an upstream may take to be asked.
const PATIENCE: Duration = Duration::from_secs(2);

/// One upstream's subscriptions are at their bound ([`MAX_RESOURCES`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_RESOURCES} resources of this upstream are subscribed to already; unsubscribe from some first")]
pub struct TooMany;

impl Interests {
    pub(super) fn add(self: &Arc<Self>, uri: &str) -> Result<Interest, TooMany> {
        let mut counts = self.lock();
        if !counts.contains_key(uri) && counts.len() >= MAX_RESOURCES {
            return Err(TooMany);
        }
        let count = counts.entry(uri.to_owned()).or_default();
        *count += 1;
        if *count == 1 {
            self.changed.send_modify(|version| *version += 1);
        }
        Ok(Interest { interests: self.clone(), uri: uri.to_owned() })
    }

    /// The upstream has been asked for all of these, whatever it said.
    pub(super) fn meet(&self, uris: BTreeSet<String>) {
        self.met.send_replace(uris);
    }

    pub(super) fn uris(&self) -> BTreeSet<String> {
        self.lock().keys().cloned().collect()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn remove(&self, uri: &str) {
        let mut counts = self.lock();
        let Some(count) = counts.get_mut(uri) else { return };
        *count -= 1;
        if *count == 0 {
            counts.remove(uri);
            // Whoever wants it again waits for it to be asked for again.
            self.met.send_if_modified(|met| met.remove(uri));
            self.changed.send_modify(|version| *version += 1);
        }
    }

    /// Nothing that runs under the lock leaves it half written.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.interests.remove(&self.uri);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_begins_and_the_last_ends() {
        let interests = Arc::new(Interests::default());
        let mut changed = interests.subscribe();
        let (first, second) = (interests.add("a:b").unwrap(), interests.add("a:b").unwrap());
        assert_eq!(*changed.borrow_and_update(), 1, "the second adds nothing");
        drop(first);
        assert_eq!(interests.uris().len(), 1);
        drop(second);
        assert_eq!((*changed.borrow_and_update(), interests.uris().len()), (2, 0));
    }

    #[test]
    fn they_are_bounded() {
        let interests = Arc::new(Interests::default());
        let held: Vec<_> = (0..MAX_RESOURCES).map(|n| interests.add(&n.to_string()).unwrap()).collect();
        assert_eq!(interests.add("one more").unwrap_err(), TooMany);
        assert!(interests.add("7").is_ok(), "one that is there already takes no place");
        drop(held);
    }
}
