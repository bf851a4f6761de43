//! Notification streams: bodies that say when the server's list has changed, and else nothing.
//!
//! A legacy GET (2025-11-25, transports, "Listening for Messages from the Server") or a modern `subscriptions/listen`
//! (2026-07-28, basic/patterns/subscriptions) opens one, within the budget of [`crate::admission::streams`]. No session
//! ties two streams to one client, so each stands for a client of its own, and gets each notification once.
//!
//! A stream is no task and keeps no queue: when the connection can take a frame it asks the body, and the body waits
//! for the next [`Edition`]. Thousands of idle ones cost their sockets and some hundred bytes each; a client that does
//! not read is asked nothing and told less often. A stream ends when its client leaves, when the server drains or is
//! gone, and when the process stops; in the last three cases it says so as its era has it.

use super::{
    Shared,
    answer::{self, Asked},
};
use crate::{
    admission::streams::StreamPermit,
    catalog::{Snapshot, edition::Edition},
    model::Body,
    server::Server,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use mcpfleet_protocol::{
    Era, Subscription,
    answer::ListChanges,
    server::{Accepts, Listen, Reason, Refusal, accept_get},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Longest silence of a stream.
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// Least time between two notifications: a rollout of many tools is one change, not one for each tool.
const PACE: Duration = Duration::from_millis(100);

/// Value of `Allow`: what the endpoint serves.
pub fn methods(snapshot: &Snapshot) -> &'static str {
    match snapshot.list_changes() {
        ListChanges::Announced => "GET, POST",
        ListChanges::Silent => "POST",
    }
}

/// Answers a GET.
pub fn get(
    shared: &Shared,
    server: &Arc<Server>,
    snapshot: &Snapshot,
    headers: &HeaderMap,
) -> Response<Body> {
    match accept_get(headers) {
        Err(why) => answer::refusal(&why),
        Ok(_) if snapshot.list_changes() == ListChanges::Silent => {
            answer::refusal(&Refusal::method_not_allowed(methods(snapshot)))
        }
        Ok(_) => match server.streams.open() {
            Some(permit) => open(shared, server, snapshot, permit, Subscription::legacy()),
            None => answer::no_stream(None, server.streams.max()),
        },
    }
}

/// Answers `subscriptions/listen`.
pub fn listen(
    shared: &Shared,
    server: &Arc<Server>,
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    wanted: &Listen,
) -> Response<Body> {
    if asked.accepts == Accepts::JsonOnly {
        let why = "subscriptions/listen is answered with text/event-stream: Accept must allow it";
        return answer::refusal(&Refusal::new(Reason::NotAcceptable, Some(asked.id), why));
    }
    let subscription = Subscription::modern(asked.id, honoured(snapshot, wanted));
    if !subscription.carries_tools() {
        return nothing_to_say(snapshot, &subscription);
    }
    match server.streams.open() {
        Some(permit) => open(shared, server, snapshot, permit, subscription),
        None => answer::no_stream(Some(asked.id), server.streams.max()),
    }
}

fn honoured(snapshot: &Snapshot, wanted: &Listen) -> Listen {
    match snapshot.list_changes() {
        ListChanges::Announced => Listen { tools: wanted.tools, ..Listen::default() },
        ListChanges::Silent => Listen::default(),
    }
}

/// Nothing that was asked for is served: acknowledged as such and ended at once. A stream that can never say anything
/// would only take a place.
fn nothing_to_say(snapshot: &Snapshot, subscription: &Subscription) -> Response<Body> {
    let closing = subscription.closing(&snapshot.implementation);
    let frames = [subscription.opening(), closing.unwrap_or_default()].concat();
    answer::event_stream(answer::full(frames))
}

fn open(
    shared: &Shared,
    server: &Arc<Server>,
    snapshot: &Snapshot,
    permit: StreamPermit,
    subscription: Subscription,
) -> Response<Body> {
    let edition = server.editions.subscribe();
    let told = edition.borrow().of(subscription.era());
    let stream = Stream {
        told,
        closing: subscription.closing(&snapshot.implementation),
        subscription,
        edition,
        quiet_until: Instant::now(),
        permit,
        stopping: shared.stopping().clone(),
        stage: Stage::Opening,
    };
    answer::event_stream(stream.into_body())
}

/// One stream between two frames. The snapshot that it was opened on is not kept: it would live as long.
struct Stream {
    subscription: Subscription,
    closing: Option<Bytes>,
    edition: watch::Receiver<Edition>,
    /// The edition that the client knows of.
    told: u64,
    quiet_until: Instant,
    /// Given back when the stream has ended or the connection has dropped it.
    permit: StreamPermit,
    stopping: CancellationToken,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Open,
    Over,
}

enum Event {
    Changed(u64),
    Quiet,
    Ending,
}

impl Stream {
    fn into_body(self) -> Body {
        let frames = stream::unfold(self, Self::next);
        Body::new(StreamBody::new(frames.map(|frame| Ok(Frame::data(frame)))))
    }

    async fn next(mut self) -> Option<(Bytes, Self)> {
        let frame = match self.stage {
            Stage::Over => return None,
            Stage::Opening => {
                self.stage = Stage::Open;
                self.subscription.opening()
            }
            Stage::Open => match self.event().await {
                Event::Changed(edition) => {
                    self.told = edition;
                    self.quiet_until = Instant::now() + PACE;
                    self.subscription.tools_changed()
                }
                Event::Quiet => Subscription::keep_alive(),
                Event::Ending => {
                    self.stage = Stage::Over;
                    self.goodbye()?
                }
            },
        };
        Some((frame, self))
    }

    async fn event(&mut self) -> Event {
        let edition = changed(&mut self.edition, self.subscription.era(), self.told, self.quiet_until);
        tokio::select! {
            biased;
            () = self.permit.drained() => Event::Ending,
            () = self.stopping.cancelled() => Event::Ending,
            edition = edition => edition.map_or(Event::Ending, Event::Changed),
            () = sleep(KEEP_ALIVE) => Event::Quiet,
        }
    }

    /// What is left to say: a change that was held back, and the era's own end.
    fn goodbye(&self) -> Option<Bytes> {
        let current = self.edition.borrow().of(self.subscription.era());
        let untold = (current != self.told).then(|| self.subscription.tools_changed());
        let frames: Vec<Bytes> = untold.into_iter().chain(self.closing.clone()).collect();
        (!frames.is_empty()).then(|| frames.concat().into())
    }
}

/// Waits until the list is another than the client knows of and the last notification is long enough ago. `None` when
/// the server is gone.
async fn changed(
    edition: &mut watch::Receiver<Edition>,
    era: Era,
    told: u64,
    quiet_until: Instant,
) -> Option<u64> {
    edition.wait_for(|edition| edition.of(era) != told).await.ok()?;
    sleep_until(quiet_until).await;
    Some(edition.borrow_and_update().of(era))
}

#[cfg(test)]
mod tests;
