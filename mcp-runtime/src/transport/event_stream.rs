//! HTTP+SSE, the transport of 2024-11-05: a GET opens a stream whose first event says where to POST; answers come on the
//! stream (2024-11-05, basic/transports, "HTTP with SSE").
//!
//! It shares the endpoint with Streamable HTTP. A client of that has a session before it opens a stream, and every client
//! since 2025-06-18 names its revision, so a GET with neither is an old client's. `/sse` beside `/mcp` is for clients that
//! expect that path.
//!
//! A stream ends when its credential is good no more. Each POST shows one anew, and the last that was good counts.

use super::{
    answer,
    arrived::Arrived,
    duplex::{BACKLOG, Duplex},
    mcp::Call,
    subscriptions,
};
use crate::{
    identity::Bearer,
    model::Body,
    seal::{self, Purpose},
    session::SessionKey,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, Response, StatusCode, header::ACCEPT};
use http_body::Frame;
use http_body_util::StreamBody;
use mcpfleet_protocol::{
    ListChanges,
    header::{PROTOCOL_VERSION, SESSION_ID},
    server::Refusal,
    sse,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

/// Longest silence of a stream.
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// How long a client may leave the answers to what it posts unread.
const UNREAD: Duration = Duration::from_secs(10);
/// The query parameter that names the stream.
const PARAMETER: &str = "sessionId=";

/// The streams of one process.
#[derive(Debug, Default)]
pub struct EventStreams(Mutex<HashMap<SessionKey, Open>>);

/// One that is open.
#[derive(Clone, Debug)]
struct Open {
    duplex: Arc<Duplex>,
    /// The credential that it depends on.
    bearer: Arc<watch::Sender<Bearer>>,
}

/// Whether a GET asks for this transport rather than for the notifications of a session.
pub fn is_asked_for(arrived: &Arrived) -> bool {
    let headers = &arrived.parts.headers;
    !headers.contains_key(SESSION_ID) && !headers.contains_key(PROTOCOL_VERSION) && takes_events(headers)
}

fn takes_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|list| list.split(',')).any(|range| range.trim().starts_with("text/event-stream"))
}

/// The stream that a request names in its query.
pub fn named(arrived: &Arrived) -> Option<String> {
    let query = arrived.parts.uri.query()?;
    query.split('&').find_map(|pair| pair.strip_prefix(PARAMETER)).map(ToOwned::to_owned)
}

/// Opens a stream.
pub fn open(call: &Call<'_>) -> Response<Body> {
    let (shared, server) = (&call.visit.shared, &call.visit.server);
    if call.visit.snapshot.list_changes() == ListChanges::Silent {
        return answer::refusal(&Refusal::method_not_allowed(subscriptions::methods(&call.visit.snapshot)));
    }
    let Some(permit) = server.streams.open() else {
        return answer::no_stream(None, server.streams.max());
    };
    let path = call.arrived.parts.uri.path();
    let Ok((key, name)) = name(call) else { return answer::broken() };
    let (out, messages) = mpsc::channel(BACKLOG);
    let live = server.sessions.live(key);
    let duplex = Duplex::new(shared.clone(), path.to_owned(), live, out);
    let (pass, bearer) = server.door.renewable(&call.visit.snapshot.parts.gate, call.bearer());
    shared.event_streams.add(key, Open { duplex: duplex.clone(), bearer: Arc::new(bearer) });
    let leaving = Leaving { shared: shared.clone(), key, duplex };
    let endpoint = format!("event: endpoint\ndata: {path}?{PARAMETER}{name}\n\n");
    let stopping = shared.stopping().clone();
    let frames = stream::unfold(
        (Some(Bytes::from(endpoint)), messages, leaving, (permit, pass)),
        move |(first, mut messages, leaving, (permit, mut pass))| {
            let stopping = stopping.clone();
            async move {
                if let Some(first) = first {
                    return Some((first, (None, messages, leaving, (permit, pass))));
                }
                let frame = tokio::select! {
                    biased;
                    () = pass.lapsed() => return None,
                    message = messages.recv() => event(&message?),
                    () = permit.drained() => return None,
                    () = stopping.cancelled() => return None,
                    () = sleep(KEEP_ALIVE) => Bytes::from_static(sse::KEEP_ALIVE),
                };
                Some((frame, (None, messages, leaving, (permit, pass))))
            }
        },
    );
    answer::event_stream(Body::new(StreamBody::new(frames.map(|frame| Ok(Frame::data(frame))))))
}

/// A name for a new stream, which says which replica holds it and for whom.
fn name(call: &Call<'_>) -> Result<(SessionKey, String), seal::NotSealed> {
    let key = seal::name()?;
    let owner = call.visit.shared.own_address();
    let plain = [&key[..], &call.principal.fingerprint()[..], owner.as_bytes()].concat();
    Ok((key, call.visit.shared.keys.seal(Purpose::Session, &plain)?))
}

/// Takes a message for a stream; the answer goes there.
pub async fn post(call: &Call<'_>, name: &str) -> Response<Body> {
    let gone = || answer::refusal(&Refusal::session_unknown(None));
    let Ok(plain) = call.visit.shared.keys.open(Purpose::Session, name) else { return gone() };
    let Some((key, rest)) = plain.split_first_chunk::<16>() else { return gone() };
    let Some((partition, owner)) = rest.split_first_chunk::<16>() else { return gone() };
    if *partition != call.principal.fingerprint() {
        return gone();
    }
    let owner = std::str::from_utf8(owner).unwrap_or_default();
    if let Some(response) = call.elsewhere(owner).await {
        return response;
    }
    let open = call.visit.shared.event_streams.find(*key);
    let Some(Open { duplex, bearer }) =
        open.filter(|open| open.duplex.path() == call.arrived.parts.uri.path())
    else {
        return gone();
    };
    if !bearer.borrow().is(&call.principal) {
        bearer.send_replace(call.bearer());
    }
    // A client that does not read its stream is shown out: what it sends would fill memory.
    if timeout(UNREAD, duplex.receive(&call.principal, &call.arrived.body, &call.arrived.share))
        .await
        .is_err()
    {
        duplex.leave();
        call.visit.shared.event_streams.remove(*key);
        return gone();
    }
    let mut response = answer::accepted();
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

impl EventStreams {
    fn add(&self, key: SessionKey, open: Open) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, open);
    }

    fn find(&self, key: SessionKey) -> Option<Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    fn remove(&self, key: SessionKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

/// Ends a stream's session when the client has left.
struct Leaving {
    shared: Arc<super::Shared>,
    key: SessionKey,
    duplex: Arc<Duplex>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.shared.event_streams.remove(self.key);
        self.duplex.leave();
    }
}

fn event(message: &Bytes) -> Bytes {
    sse::encode(&String::from_utf8_lossy(message), None)
}
