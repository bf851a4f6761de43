//! What one greeting gave: a peer, how messages travel to it, and what it offers.

use super::{
    ClientError,
    inbox::{Inbox, Place},
    outlet::Outlet,
    side::Listening,
};
use crate::{
    program::ProgramError,
    upstream::task::{StopOnDrop, in_background},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use mcpfleet_protocol::{
    ClientCapabilities, Era, ListChanges, Offered, Revision, ServerCapabilities,
    answer::Implementation,
    client::{Outgoing, Peer},
    header::SessionId,
    jsonrpc::Id,
    server::LogLevel,
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// How long a farewell (a cancellation, the end of a session) may take before it is given up.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

/// How long the end of a program may be behind the end of its output.
const LAST_WORD: Duration = Duration::from_secs(2);

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Each answer in the response to its POST (2025-03-26 and later).
    StreamableHttp,
    /// Every answer on one stream (2024-11-05).
    HttpSse,
    /// Lines into a program, and lines out of it.
    Stdio,
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What it offers.
    pub capabilities: ServerCapabilities,
    /// Guidance for models.
    pub instructions: Option<String>,
    /// Who it says it is.
    pub info: Option<Implementation>,
}

impl About {
    /// Whether the server tells when any of its lists changes, so that they need not be asked for all the time.
    pub fn announces_lists(&self) -> bool {
        let ServerCapabilities { tools, prompts, resources, .. } = &self.capabilities;
        let lists = [*tools, *prompts, resources.map(|resources| resources.changes)];
        lists.into_iter().flatten().all(|changes| changes == ListChanges::Announced)
    }

    /// Whether the server tells when something of its offer changes.
    pub(super) fn has_news(&self) -> bool {
        let ServerCapabilities { tools, prompts, resources, .. } = &self.capabilities;
        let announced = ListChanges::Announced;
        *tools == Some(announced)
            || *prompts == Some(announced)
            || resources.is_some_and(|of| of.changes == announced || of.subscribe == Offered::Yes)
    }
}

/// A server that has been greeted. Ended when dropped.
#[derive(Debug)]
pub(super) struct Session {
    /// Where messages go.
    pub(super) outlet: Outlet,
    pub(super) wire: Wire,
    pub(super) peer: Peer,
    /// What we said that we can do.
    pub(super) declared: ClientCapabilities,
    pub(super) about: About,
    /// The session's own stream, when it has one.
    pub(super) side: Option<Side>,
    /// Asked of the server by `logging/setLevel`.
    level: Mutex<Option<LogLevel>>,
    /// Nothing is to be ended: it is over, or was never one.
    over: AtomicBool,
}

/// A session's own stream, seen by its calls.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) inbox: Arc<Inbox>,
    pub(super) listening: watch::Receiver<Listening>,
    pub(super) _reader: StopOnDrop,
}

impl Session {
    pub(super) fn new(
        outlet: Outlet,
        (wire, side): (Wire, Option<Side>),
        peer: Peer,
        declared: ClientCapabilities,
        about: About,
    ) -> Self {
        let (level, over) = (Mutex::default(), AtomicBool::default());
        Self { outlet, wire, peer, declared, about, side, level, over }
    }

    pub(super) const fn revision(&self) -> Revision {
        self.peer.revision()
    }

    /// Gives its stream to another session, and is none any more.
    pub(super) fn take_wire(&mut self) -> (Wire, Option<Side>) {
        self.expired();
        (self.wire, self.side.take())
    }

    /// Whether the server keeps something for this greeting, so that two of them are two.
    pub(super) fn is_stateful(&self) -> bool {
        match (&self.peer, self.wire) {
            (_, Wire::HttpSse) => true,
            (Peer::Legacy(peer), Wire::StreamableHttp) => peer.session.is_some(),
            // Whether two processes are two is for whoever starts them to say.
            (_, Wire::Stdio) | (Peer::Modern(_), Wire::StreamableHttp) => false,
        }
    }

    /// Its id, when it is one of a legacy server that gives ids.
    pub(super) fn id(&self) -> Option<&SessionId> {
        id_of(&self.peer)
    }

    /// A place for what comes on the session's own stream.
    pub(super) fn enter(&self, id: &Id<'_>) -> Result<Option<Place>, ClientError> {
        self.side.as_ref().map(|side| side.inbox.enter(id)).transpose()
    }

    /// Whether its own stream stands. Without one nobody is told of anything.
    pub(super) fn is_listening(&self) -> bool {
        self.side.as_ref().is_some_and(|side| *side.listening.borrow() == Listening::Open)
    }

    /// Answers a request of the server's. If the answer is lost, the call's own deadline tells.
    pub(super) async fn respond(&self, body: Bytes) {
        let _ = self.outlet.send(unasked(&self.peer, body)).await;
    }

    /// Why nothing more comes on its own stream, for a call that waits for its answer.
    pub(super) async fn lost(&self) -> ClientError {
        match &self.outlet {
            Outlet::Url(_) => ClientError::NoAnswer,
            Outlet::Process(process) => match tokio::time::timeout(LAST_WORD, process.ended()).await {
                Ok(end) => ProgramError::from(end).into(),
                Err(_) => ClientError::NoAnswer,
            },
        }
    }

    /// Notes that the server no longer knows it.
    pub(super) fn expired(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// The level that has to be asked for so that `wanted` is what is sent; asked for from now on.
    pub(super) fn change_level(&self, wanted: LogLevel) -> Option<LogLevel> {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        (level.replace(wanted) != Some(wanted)).then_some(wanted)
    }

    /// Tells the server in the background that nobody waits for the answer to `id` any more. To a modern one over
    /// Streamable HTTP the closed stream says so.
    pub(super) fn cancel(&self, id: &Id<'_>) {
        if self.peer.era() == Era::Modern && self.wire == Wire::StreamableHttp {
            return;
        }
        let body = mcpfleet_protocol::message::cancelled(id, "the caller no longer waits");
        self.say(unasked(&self.peer, body));
    }

    /// Tells a legacy server in the background that the roots have changed.
    pub(super) fn roots_changed(&self) {
        if self.peer.era() == Era::Legacy {
            self.say(unasked(&self.peer, mcpfleet_protocol::message::roots_list_changed()));
        }
    }

    fn say(&self, outgoing: Outgoing) {
        let outlet = self.outlet.clone();
        in_background(async move {
            let _ = tokio::time::timeout(FAREWELL, outlet.send(outgoing)).await;
        });
    }

    /// Ends it at the server, so that it need not keep it until it times out.
    pub(super) fn farewell(&self) -> impl Future<Output = ()> + Send + 'static {
        let first = !self.over.swap(true, Ordering::Relaxed);
        let farewell = match (&self.peer, &self.outlet) {
            // The end of its stream ends the other kinds.
            (Peer::Legacy(peer), Outlet::Url(endpoint)) if first && self.wire == Wire::StreamableHttp => {
                peer.delete().map(|headers| (endpoint.clone(), headers))
            }
            _ => None,
        };
        async move {
            if let Some((endpoint, headers)) = farewell {
                // 405 is an answer that servers may give, and a lost one changes nothing.
                let _ = tokio::time::timeout(FAREWELL, endpoint.delete(headers)).await;
            }
        }
    }
}

/// A message that is no request.
pub(super) fn unasked(peer: &Peer, body: Bytes) -> Outgoing {
    match peer {
        Peer::Legacy(peer) => peer.response(body),
        // Only where headers say nothing, or are none.
        Peer::Modern(_) => {
            let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Outgoing { headers: HeaderMap::from_iter([json]), body }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.is_stateful() && !self.over.load(Ordering::Relaxed) {
            in_background(self.farewell());
        }
    }
}

/// The session that a server has given, when it gives any.
pub(super) fn id_of(peer: &Peer) -> Option<&SessionId> {
    match peer {
        Peer::Legacy(peer) => peer.session.as_ref(),
        Peer::Modern(_) => None,
    }
}
