//! What the connections of one upstream tell those who keep its lists: that one has changed, that a resource has.

use mcpfleet_protocol::header::SessionId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, broadcast, watch},
    time::Instant,
};

/// How far apart two sessions are told of one change.
const ECHO: Duration = Duration::from_millis(200);

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
    /// Which session was told of which resource, and when.
    told: Mutex<HashMap<String, (Option<SessionId>, Instant)>>,
}

impl Bell {
    pub(super) fn new(upstream: impl Into<String>, updates: broadcast::Sender<Updated>) -> Self {
        Self {
            upstream: upstream.into(),
            lists: Notify::new(),
            acknowledged: watch::Sender::default(),
            updates,
            told: Mutex::default(),
        }
    }

    fn is_echo(&self, uri: &str, session: Option<&SessionId>) -> bool {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, (_, at)| now.duration_since(*at) < ECHO);
        if let Some((first, _)) = told.get(uri) {
            return first.as_ref() != session;
        }
        told.insert(uri.to_owned(), (session.cloned(), now));
        false
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

    /// A resource has changed, as one session was told. What another session was told just before is the same change: the
    /// one that listens and a client's own may watch the same resource.
    pub(super) fn updated(&self, uri: &str, session: Option<&SessionId>) {
        if self.is_echo(uri, session) {
            return;
        }
        // Nobody listens: nobody wants to know.
        let _ = self.updates.send(Updated { upstream: self.upstream.clone(), uri: uri.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_change_that_two_sessions_are_told_of_is_one() {
        let updates = broadcast::Sender::new(BACKLOG);
        let mut heard = updates.subscribe();
        let bell = Bell::new("up", updates);
        let (one, other) = (SessionId::parse("a"), SessionId::parse("b"));
        bell.updated("x:1", one.as_ref());
        bell.updated("x:1", other.as_ref());
        bell.updated("x:1", one.as_ref());
        bell.updated("x:2", other.as_ref());
        let uris: Vec<String> = std::iter::from_fn(|| heard.try_recv().ok()).map(|it| it.uri).collect();
        assert_eq!(uris, ["x:1", "x:1", "x:2"], "the echo is left out, the second change is not");
    }
}
