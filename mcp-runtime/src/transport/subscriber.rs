//! What a client is told without having asked just now: that a list has changed, that a resource has; and what a legacy
//! upstream wants of it while no call of its runs.
//!
//! A subscriber is no task and keeps no queue: whoever can take a message asks for the next, and it waits for the next
//! [`Edition`] or update. Thousands of idle ones cost their sockets and some hundred bytes each; a client that does not
//! read is asked nothing and told less often.

use crate::{
    admission::streams::StreamPermit, catalog::edition::Edition, conversation::Visit, exchange::Asked,
    identity::Pass, session::Live, upstream::Interest,
};
use bytes::Bytes;
use mcpfleet_protocol::{
    Era, Subscription,
    json::JsonText,
    message::{self, Change},
};
use std::{collections::VecDeque, future, sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Least time between two notifications of changed lists: a rollout of many tools is one change, not one for each tool.
const PACE: Duration = Duration::from_millis(100);

/// One client that listens.
pub struct Subscriber {
    subscription: Subscription,
    /// The session whose watched resources are told of; legacy.
    live: Option<Arc<Live>>,
    /// Keep upstreams telling of the resources of a modern subscription.
    _interests: Vec<Interest>,
    watched: Vec<String>,
    edition: watch::Receiver<Edition>,
    /// The edition that the client knows of.
    told: Edition,
    quiet_until: Instant,
    updates: broadcast::Receiver<Arc<str>>,
    /// What upstreams want of the client of a legacy session.
    questions: Option<mpsc::Receiver<Asked>>,
    ready: VecDeque<Bytes>,
    closing: Option<Bytes>,
    /// Given back when this is dropped.
    permit: StreamPermit,
    pass: Pass,
    stopping: CancellationToken,
    /// Another stream of the same session has taken the place of this.
    displaced: CancellationToken,
    over: Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    No,
    /// What is left in `ready` is the last.
    Yes,
}

enum Event {
    Lists(Edition),
    Updated(Option<Arc<str>>),
    Asked(Asked),
    Ending,
    /// Its credential is good no more: it hears of nothing that has not been on its way already.
    Lapsed,
}

impl Subscriber {
    /// A listener as of now. `watched` are the resources of a modern subscription.
    pub fn new(
        visit: &Visit,
        subscription: Subscription,
        live: Option<Arc<Live>>,
        watched: Vec<(String, Option<Interest>)>,
        (permit, pass): (StreamPermit, Pass),
    ) -> Self {
        let edition = visit.server.editions.subscribe();
        let told = *edition.borrow();
        let (watched, interests): (Vec<_>, Vec<_>) = watched.into_iter().unzip();
        let notice = live.as_ref().and_then(|live| live.take_notice());
        let displaced = live.as_ref().map(|live| live.take_stream()).unwrap_or_default();
        let questions = live.as_ref().map(|live| live.standing.open());
        Self {
            told,
            closing: subscription.closing_message(&visit.snapshot.implementation),
            ready: subscription.opening_message().into_iter().chain(notice).collect(),
            subscription,
            questions,
            live,
            _interests: interests.into_iter().flatten().collect(),
            watched,
            edition,
            quiet_until: Instant::now(),
            updates: visit.server.updates.subscribe(),
            permit,
            pass,
            stopping: visit.shared.stopping().clone(),
            displaced,
            over: Over::No,
        }
    }

    /// The next message; `None` at the end. Cancel safe.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
            }
            if self.over == Over::Yes {
                return None;
            }
            match self.event().await {
                Event::Lists(edition) => {
                    self.tell(edition);
                    self.quiet_until = Instant::now() + PACE;
                }
                Event::Updated(uri) => self.updated(uri.as_deref()),
                Event::Asked(asked) => self.ask(asked),
                Event::Ending => {
                    // A change that was held back, and the era's own end.
                    let current = *self.edition.borrow();
                    self.tell(current);
                    self.ready.extend(self.closing.take());
                    self.over = Over::Yes;
                }
                Event::Lapsed => {
                    self.ready.extend(self.closing.take());
                    self.over = Over::Yes;
                }
            }
        }
    }

    async fn event(&mut self) -> Event {
        let lists = changed(&mut self.edition, self.subscription.era(), self.told, self.quiet_until);
        tokio::select! {
            biased;
            () = self.pass.lapsed() => Event::Lapsed,
            () = self.permit.drained() => Event::Ending,
            () = self.stopping.cancelled() => Event::Ending,
            () = self.displaced.cancelled() => Event::Ending,
            asked = asked(&mut self.questions) => Event::Asked(asked),
            edition = lists => edition.map_or(Event::Ending, Event::Lists),
            updated = self.updates.recv() => match updated {
                Ok(uri) => Event::Updated(Some(uri)),
                Err(broadcast::error::RecvError::Lagged(_)) => Event::Updated(None),
                Err(broadcast::error::RecvError::Closed) => Event::Ending,
            },
        }
    }

    fn tell(&mut self, edition: Edition) {
        let changes = edition.since(self.told, self.subscription.era());
        let carried = changes.filter(|change| self.subscription.carries(*change));
        let messages: Vec<Bytes> = carried.map(|change| self.subscription.changed_message(change)).collect();
        self.ready.extend(messages);
        self.told = edition;
    }

    /// The answer comes by a POST in the same session.
    fn ask(&mut self, (question, reply): Asked) {
        if let Some(live) = &self.live {
            let params = question.params.as_deref().map(JsonText::from);
            self.ready.push_back(message::request(&live.expect(reply), &question.method, params.as_ref()));
        }
    }

    /// One resource has changed; or, when more have than could be kept, any of those that are watched.
    fn updated(&mut self, uri: Option<&str>) {
        let changed: Vec<String> = match (&self.live, uri) {
            (Some(live), Some(uri)) if live.watches(uri) => vec![uri.to_owned()],
            (None, Some(uri)) if self.watched.iter().any(|watched| watched == uri) => vec![uri.to_owned()],
            (_, Some(_)) => Vec::new(),
            (Some(live), None) => live.watched(),
            (None, None) => self.watched.clone(),
        };
        let messages = changed.iter().map(|uri| self.subscription.changed_message(Change::Updated(uri)));
        self.ready.extend(messages);
    }
}

/// The next question; never, when there is nobody to ask it.
async fn asked(questions: &mut Option<mpsc::Receiver<Asked>>) -> Asked {
    match questions {
        Some(questions) => match questions.recv().await {
            Some(asked) => asked,
            // Another stream is asked from now on.
            None => future::pending().await,
        },
        None => future::pending().await,
    }
}

/// Waits until a list is another than the client knows of and the last notification is long enough ago. `None` when
/// the server is gone.
async fn changed(
    edition: &mut watch::Receiver<Edition>,
    era: Era,
    told: Edition,
    quiet_until: Instant,
) -> Option<Edition> {
    edition.wait_for(|edition| edition.since(told, era).next().is_some()).await.ok()?;
    sleep_until(quiet_until).await;
    Some(*edition.borrow_and_update())
}
