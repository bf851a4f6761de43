//! Keeps what an upstream was asked to tell of equal to what somebody wants to hear of, through reconnects.
//!
//! A legacy upstream is asked resource by resource, for the session that lists; a modern one by one stream
//! (`subscriptions/listen`) whose filter says everything, replaced when the filter changes. News themselves go
//! to the [`Bell`], on whatever stream they come.

use super::{Pace, bell::Bell, connection::Connection, interest::Interests, task::StopOnDrop};
use mcpfleet_protocol::{
    Era, ListChanges, Offered,
    client::{Ask, AskContext},
    server::{Listen, Wanted},
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// How long a new stream may take to stand before the old one is let go.
const HANDOVER: Duration = Duration::from_secs(2);

/// A stream that ends sooner counts as a failure.
const LASTING: Duration = Duration::from_secs(30);

/// The subscriptions of one connection.
pub(super) struct Listener {
    pub(super) connection: Arc<Connection>,
    pub(super) interests: Arc<Interests>,
    pub(super) bell: Arc<Bell>,
    pub(super) pace: Pace,
    /// Whether a modern upstream's stream stands.
    pub(super) stands: Arc<AtomicBool>,
}

impl Listener {
    /// Runs until it is stopped.
    pub(super) async fn run(self) {
        match self.connection.era() {
            Era::Legacy => self.legacy().await,
            Era::Modern => self.modern().await,
        }
    }

    fn subscribable(&self) -> Offered {
        self.connection.about().capabilities.resources.map_or(Offered::No, |resources| resources.subscribe)
    }

    async fn legacy(&self) {
        let (mut wanted, mut renewals) = (self.interests.subscribe(), self.connection.renewals());
        let mut known = BTreeSet::new();
        loop {
            match self.subscribable() {
                Offered::Yes => {
                    self.align(&mut known).await;
                    self.interests.meet(known.clone());
                }
                // There is nothing to wait for.
                Offered::No => self.interests.meet(self.interests.uris()),
            }
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                // The new session knows of no subscription.
                changed = renewals.changed() => if changed.is_err() { return } else { known.clear() },
            }
        }
    }

    async fn align(&self, known: &mut BTreeSet<String>) {
        let wanted = self.interests.uris();
        let (new, gone): (Vec<_>, Vec<_>) =
            (wanted.difference(known).cloned().collect(), known.difference(&wanted).cloned().collect());
        for uri in new {
            let asked = self.connection.ask(&Ask::Subscribe(&uri), &AskContext::default()).await;
            if let Err(error) = asked {
                tracing::debug!(%uri, %error, "resource not subscribed to");
            }
            // One that is refused is not asked for again until there is a new session.
            known.insert(uri);
        }
        for uri in gone {
            let _ = self.connection.ask(&Ask::Unsubscribe(&uri), &AskContext::default()).await;
            known.remove(&uri);
        }
    }

    async fn modern(&self) {
        let mut wanted = self.interests.subscribe();
        let mut failures = 0_u32;
        let mut stream: Option<Stream> = None;
        loop {
            wanted.borrow_and_update();
            let (filter, asked) = (self.filter(), self.interests.uris());
            let before = stream.take();
            if filter.is_empty() {
                failures = 0;
            } else {
                let opening = self.open(filter);
                stream = self.standing(opening, before.is_some()).await;
                failures = failures.saturating_add(u32::from(stream.is_none()));
            }
            drop(before);
            self.interests.meet(asked);
            self.stands.store(stream.is_some(), Ordering::Relaxed);
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                since = ended(&mut stream), if stream.is_some() => {
                    self.stands.store(false, Ordering::Relaxed);
                    self.bell.lists_changed();
                    stream = None;
                    failures = if since.elapsed() >= LASTING { 1 } else { failures.saturating_add(1) };
                    sleep(self.pace.until_retry(failures)).await;
                }
                () = sleep(self.pace.until_retry(failures)), if stream.is_none() && failures > 0 => {}
            }
        }
    }

    fn open(&self, filter: Listen) -> Stream {
        let connection = self.connection.clone();
        let acknowledged = self.bell.acknowledgements();
        let (alive, over) = watch::channel(());
        let task = StopOnDrop(tokio::spawn(async move {
            let _alive = alive;
            let ended = connection.ask(&Ask::Listen(&filter), &AskContext::default()).await;
            if let Err(error) = ended {
                tracing::debug!(%error, "subscription ended");
            }
        }));
        Stream { acknowledged, over, since: Instant::now(), _task: task }
    }

    /// The stream, once it is acknowledged. Without one before it a change may have been missed.
    async fn standing(&self, mut stream: Stream, seamless: bool) -> Option<Stream> {
        let stands = async {
            tokio::select! {
                changed = stream.acknowledged.changed() => changed.is_ok(),
                _ = stream.over.changed() => false,
            }
        };
        let stands = timeout(HANDOVER, stands).await.unwrap_or(false);
        if stands && !seamless {
            self.bell.lists_changed();
        }
        stands.then_some(stream)
    }

    fn filter(&self) -> Listen {
        let capabilities = self.connection.about().capabilities;
        let of = |changes: Option<ListChanges>| match changes {
            Some(ListChanges::Announced) => Wanted::Yes,
            Some(ListChanges::Silent) | None => Wanted::No,
        };
        Listen {
            tools: of(capabilities.tools),
            prompts: of(capabilities.prompts),
            resources: of(capabilities.resources.map(|resources| resources.changes)),
            updates: match self.subscribable() {
                Offered::Yes => self.interests.uris().into_iter().collect(),
                Offered::No => Vec::new(),
            },
        }
    }
}

struct Stream {
    acknowledged: watch::Receiver<u64>,
    /// Its sender is gone when the stream is.
    over: watch::Receiver<()>,
    since: Instant,
    _task: StopOnDrop,
}

/// Waits for the end of the stream; gives when it began.
async fn ended(stream: &mut Option<Stream>) -> Instant {
    let Some(stream) = stream else { return Instant::now() };
    // It sends nothing: what comes is its end.
    let _ = stream.over.changed().await;
    stream.since
}
