//! Notification streams over HTTP: a legacy GET (2025-11-25, transports, "Listening for Messages from the Server") or a
//! modern `subscriptions/listen` (2026-07-28, basic/patterns/subscriptions), within the budget of
//! [`crate::admission::streams`].
//!
//! A stream ends when its client leaves, when the credential that opened it is good no more, when the server drains or is
//! gone, and when the process stops; in all but the first case it says so as its era has it.

use super::{answer, mcp::Call, subscriber::Subscriber};
use crate::{catalog::Snapshot, conversation::Visit, identity::Principal, model::Body, upstream::Interest};
use bytes::Bytes;
use futures::{StreamExt, future::join_all, stream};
use http::Response;
use http_body::Frame;
use http_body_util::StreamBody;
use mcpfleet_protocol::{
    ListChanges, Subscription,
    server::{Accepts, Listen, Reason, Refusal, Request, Wanted, accept_get},
    sse,
};
use std::time::Duration;
use tokio::time::sleep;

/// Longest silence of a stream.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// Value of `Allow`: what the endpoint serves.
pub fn methods(snapshot: &Snapshot) -> &'static str {
    match snapshot.list_changes() {
        ListChanges::Announced => "GET, POST, DELETE",
        ListChanges::Silent => "POST, DELETE",
    }
}

/// Answers a GET in a session.
pub async fn get(call: &Call<'_>) -> Response<Body> {
    let (visit, headers) = (&call.visit, &call.arrived.parts.headers);
    let context = match accept_get(headers) {
        Err(why) => return answer::refusal(&why),
        Ok(context) => context,
    };
    if visit.snapshot.list_changes() == ListChanges::Silent {
        return answer::refusal(&Refusal::method_not_allowed(methods(&visit.snapshot)));
    }
    let ticket = match call.session(&context, None) {
        Err(why) => return answer::refusal(&why),
        Ok(ticket) => ticket,
    };
    if let Some(ticket) = &ticket
        && let Some(response) = call.held_elsewhere(ticket).await
    {
        return response;
    }
    let live = ticket.map(|ticket| visit.server.sessions.live(ticket.key));
    match visit.server.streams.open() {
        Some(permit) => response(
            Subscriber::new(visit, Subscription::legacy(), live, Vec::new(), (permit, call.pass())),
            Opening::Comment,
        ),
        None => answer::no_stream(None, visit.server.streams.max()),
    }
}

/// Answers `subscriptions/listen`.
pub async fn listen(call: &Call<'_>, request: &Request<'_>, wanted: &Listen) -> Response<Body> {
    let visit = &call.visit;
    if request.context.accepts == Accepts::JsonOnly {
        let why = "subscriptions/listen is answered with text/event-stream: Accept must allow it";
        return answer::refusal(&Refusal::new(Reason::NotAcceptable, Some(&request.id), why));
    }
    let (honoured, watched) = honoured(visit, &call.principal, wanted).await;
    let subscription = Subscription::modern(&request.id, honoured.clone());
    if honoured.is_empty() {
        return nothing_to_say(&visit.snapshot, &subscription);
    }
    match visit.server.streams.open() {
        Some(permit) => response(
            Subscriber::new(visit, subscription, None, watched, (permit, call.pass())),
            Opening::Message,
        ),
        None => answer::no_stream(Some(&request.id), visit.server.streams.max()),
    }
}

/// A resource that is watched, and what keeps its upstream telling of it.
type Watched = (String, Option<Interest>);

/// What of a filter is served: lists that the server announces, resources that there are.
pub(super) async fn honoured(visit: &Visit, caller: &Principal, wanted: &Listen) -> (Listen, Vec<Watched>) {
    if visit.snapshot.list_changes() == ListChanges::Silent {
        return (Listen::default(), Vec::new());
    }
    let offered = visit.snapshot.capabilities();
    let only = |wanted: Wanted, offered: bool| if offered { wanted } else { Wanted::No };
    let interest = |uri: &String| Some((uri.clone(), visit.interest(uri, caller).ok()?));
    let watched: Vec<Watched> = wanted.updates.iter().filter_map(interest).collect();
    // What changes after the acknowledgement is told: so the upstreams must know of it by then.
    join_all(watched.iter().filter_map(|(_, interest)| Some(interest.as_ref()?.met()))).await;
    let honoured = Listen {
        tools: wanted.tools,
        prompts: only(wanted.prompts, offered.prompts.is_some()),
        resources: only(wanted.resources, offered.resources.is_some()),
        updates: watched.iter().map(|(uri, _)| uri.clone()).collect(),
    };
    (honoured, watched)
}

/// Nothing that was asked for is served: acknowledged as such and ended at once. A stream that can never say anything
/// would only take a place.
fn nothing_to_say(snapshot: &Snapshot, subscription: &Subscription) -> Response<Body> {
    let closing = subscription.closing(&snapshot.implementation);
    let frames = [subscription.opening(), closing.unwrap_or_default()].concat();
    answer::event_stream(answer::full(frames))
}

/// What stands first on a stream.
#[derive(Clone, Copy)]
enum Opening {
    /// A comment, which tells proxies and clients that it is open.
    Comment,
    /// Its first message.
    Message,
}

fn response(subscriber: Subscriber, opening: Opening) -> Response<Body> {
    let first = match opening {
        Opening::Comment => Some(Subscription::keep_alive()),
        Opening::Message => None,
    };
    let frames = stream::unfold((subscriber, first), |(mut subscriber, first)| async move {
        if let Some(first) = first {
            return Some((first, (subscriber, None)));
        }
        let frame = tokio::select! {
            biased;
            message = subscriber.next() => event(&message?),
            () = sleep(KEEP_ALIVE) => Subscription::keep_alive(),
        };
        Some((frame, (subscriber, None)))
    });
    answer::event_stream(Body::new(StreamBody::new(frames.map(|frame| Ok(Frame::data(frame))))))
}

fn event(message: &Bytes) -> Bytes {
    sse::encode(&String::from_utf8_lossy(message), None)
}
