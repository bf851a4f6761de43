//! What the connections of one upstream tell those who keep its lists: that one has changed, that a resource has.

use tokio::sync::{Notify, broadcast, watch};

/// News of resources that a slow reader may be behind. It then learns that it has missed some.
pub(super) const BACKLOG: usize = 256;

/// A resource of an upstream has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The upstream.
    pub upstream: String,
    /// The resource.
    pub uri: String,
}

/// Shared by all connections of an upstream. Ringing it many times is one relist.
#[derive(Debug)]
pub(super) struct Bell {
    upstream: String,
    lists: Notify,
    /// Counts the subscriptions that the upstream has acknowledged.
    acknowledged: watch::Sender<u64>,
    updates: broadcast::Sender<Updated>,
}

impl Bell {
    pub(super) fn new(upstream: impl Into<String>, updates: broadcast::Sender<Updated>) -> Self {
        Self {
            upstream: upstream.into(),
            lists: Notify::new(),
            acknowledged: watch::Sender::default(),
            updates,
        }
    }

    /// For a connection that nobody keeps lists of.
    pub(super) fn unheard() -> Self {
        Self::new("", broadcast::Sender::new(1))
    }

    /// A list has changed, or may have while nobody listened.
    pub(super) fn lists_changed(&self) {
        self.lists.notify_one();
    }

    /// Waits until one has.
    pub(super) async fn rung(&self) {
        self.lists.notified().await;
    }

    /// A modern upstream has acknowledged a subscription.
    pub(super) fn acknowledged(&self) {
        self.acknowledged.send_modify(|count| *count += 1);
    }

    pub(super) fn acknowledgements(&self) -> watch::Receiver<u64> {
        self.acknowledged.subscribe()
    }

    pub(super) fn updated(&self, uri: &str) {
        // Nobody listens: nobody wants to know.
        let _ = self.updates.send(Updated { upstream: self.upstream.clone(), uri: uri.to_owned() });
    }
}
