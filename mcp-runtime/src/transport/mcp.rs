//! Streamable HTTP: one endpoint for every revision. The era is the message's own.
//!
//! ```text
//! POST ──► accept_post ──► session (legacy) ──► owner elsewhere? ──► peers::forward
//!                              │                     no
//!                              ▼                      ▼
//!                           Client ──► initialize | listen | local::answer | begin ──► streaming::respond
//! ```

use super::{
    Exposure, answer,
    arrived::Arrived,
    batch,
    streaming::{Source, respond},
    subscriptions,
};
use crate::{
    adoption,
    catalog::Snapshot,
    conversation::{self, Answered, Client, Delivery, Elsewhere, Visit},
    identity::{Bearer, Pass, Principal},
    model::Body,
    peer::PeerError,
    session::{Running, Ticket},
};
use http::{HeaderMap, Response, StatusCode};
use mcpfleet_protocol::{
    ClientCapabilities, Era,
    header::{PROTOCOL_VERSION, SESSION_ID, SessionId},
    names_modern_era,
    server::{
        Accepts, Context, Incoming, Initialize, Notification, Notified, Operation, Posted, Refusal, Request,
        accept_post, check_param_headers,
    },
};
use std::sync::Arc;

/// Refuses browser pages that may not call, before anything is read.
pub fn check_origin(snapshot: &Snapshot, exposure: Exposure, headers: &HeaderMap) -> Result<(), Refusal> {
    match exposure {
        Exposure::Loopback => snapshot.origins.clone().and_loopback().check(headers),
        Exposure::Network => snapshot.origins.check(headers),
    }
}

/// A request to the endpoint, and where it came.
pub struct Call<'a> {
    /// The server and its surroundings.
    pub visit: Visit,
    /// Who calls.
    pub principal: Arc<Principal>,
    /// The request as it came.
    pub arrived: &'a Arrived,
}

/// Answers a POST.
pub async fn post(call: Call<'_>) -> Response<Body> {
    match accept_post(&call.arrived.parts.headers, &call.arrived.body) {
        Err(why) => answer::refusal(&why),
        Ok(Posted::One(incoming)) => call.one(incoming).await,
        Ok(Posted::Batch(messages)) => batch::post(&call, messages).await,
    }
}

/// Answers a DELETE: the session has ended (2025-11-25, transports, "Session Management").
pub async fn delete(call: Call<'_>) -> Response<Body> {
    let headers = &call.arrived.parts.headers;
    let version = headers.get(PROTOCOL_VERSION).and_then(|version| version.to_str().ok());
    // The modern era has no sessions (2026-07-28, streamable HTTP, "Earlier Streamable HTTP Revisions").
    if version.is_some_and(names_modern_era) {
        return answer::refusal(&Refusal::method_not_allowed("POST"));
    }
    let Some(session) = SessionId::from_headers(headers) else {
        return answer::refusal(&Refusal::session_required(None));
    };
    match call.opened(&session, None) {
        Err(why) => answer::refusal(&why),
        Ok(ticket) => {
            if let Some(response) = call.held_elsewhere(&ticket).await {
                return response;
            }
            call.visit.end(ticket.key).await;
            answer::empty(StatusCode::NO_CONTENT)
        }
    }
}

impl Call<'_> {
    pub(super) async fn one(&self, incoming: Incoming<'_>) -> Response<Body> {
        match incoming {
            Incoming::Request(request) => self.request(request).await,
            Incoming::Notification(notification) => self.notification(notification).await,
            Incoming::Response(response) => match self.session(&response.context, None) {
                Err(why) => answer::refusal(&why),
                Ok(None) => answer::refusal(&Refusal::session_required(None)),
                Ok(Some(ticket)) => {
                    if let Some(response) = self.held_elsewhere(&ticket).await {
                        return response;
                    }
                    if let (Some(live), Some(id)) =
                        (self.visit.server.sessions.find(ticket.key), &response.id)
                    {
                        live.answered(id, &response.outcome);
                    }
                    answer::accepted()
                }
            },
        }
    }

    /// What was shown, and who came in by it.
    pub(super) fn bearer(&self) -> Bearer {
        Bearer::new(&self.arrived.parts.headers, self.principal.clone())
    }

    /// How long what this request opens may stay open.
    pub(super) fn pass(&self) -> Pass {
        self.visit.server.door.pass(&self.visit.snapshot.parts.gate, self.bearer())
    }

    async fn request(&self, request: Request<'_>) -> Response<Body> {
        if let Operation::Initialize(wanted) = &request.operation {
            return self.initialize(&request, wanted).await;
        }
        let client = match self.follower(&request).await {
            Some(found) => found,
            None => self.client(&request).await,
        };
        let client = match client {
            Ok(client) => client,
            Err(response) => return *response,
        };
        let accepts = request.context.accepts;
        if let Operation::Listen(wanted) = &request.operation {
            return subscriptions::listen(self, &request, wanted).await;
        }
        if let Some(answered) = conversation::answer(&self.visit, &client, &request).await {
            return answer::answered(answered, accepts);
        }
        if let Err(why) = self.check_mirrored(&request) {
            return answer::refusal(&why);
        }
        let there = match conversation::elsewhere(&self.visit, &client, &request) {
            Some(Elsewhere::Work(owner)) => self.elsewhere(&owner).await,
            Some(Elsewhere::Task(owner)) => self.of_task(&owner).await,
            None => None,
        };
        if let Some(response) = there {
            return response;
        }
        match self.source(&client, &request) {
            Ok(source) => respond(source, accepts).await,
            Err(answered) => answer::answered(*answered, accepts),
        }
    }

    /// Begins what is carried out.
    pub(super) fn source(
        &self,
        client: &Arc<Client>,
        request: &Request<'_>,
    ) -> Result<Source, Box<Answered>> {
        let delivery = match request.context.accepts {
            Accepts::JsonOnly => Delivery::AnswerOnly,
            Accepts::Either | Accepts::EventStreamOnly => Delivery::Streamed,
        };
        match conversation::begin(&self.visit, client, request, delivery) {
            Some(Ok(exchange)) => {
                let exchange = exchange.keeping(self.arrived.share.clone());
                Ok(match client.era() {
                    Era::Modern => Source::direct(exchange),
                    Era::Legacy => {
                        let notice = client.live.as_ref().filter(|_| delivery == Delivery::Streamed);
                        let notice = notice.and_then(|live| live.take_notice());
                        let running = running(client, request);
                        Source::driven(exchange, (running, notice), &self.visit.shared.detached)
                    }
                })
            }
            Some(Err(answered)) => Err(Box::new(answered)),
            // Every operation is one of those that were looked for.
            None => Err(Box::new(Answered::refusal(&unserved(request)))),
        }
    }

    async fn initialize(&self, request: &Request<'_>, wanted: &Initialize<'_>) -> Response<Body> {
        let capabilities = ClientCapabilities::read(wanted.capabilities);
        let owner = self.visit.shared.own_address();
        let ticket = Ticket::new(wanted.negotiated, capabilities, self.principal.fingerprint(), &owner);
        let ticket = match ticket {
            Ok(ticket) if self.visit.shared.sends_away() => {
                Ok(adoption::bequeathed(&self.visit, ticket).await)
            }
            ticket => ticket,
        };
        let sealed = ticket.and_then(|ticket| self.visit.server.sessions.seal(&ticket));
        let result = self.visit.snapshot.initialize(wanted.negotiated);
        let answered = Answered::success(&request.id, &result);
        let mut response = answer::answered(answered, request.context.accepts);
        // Without an id it is a client that can be asked nothing, and is served all the same.
        if let Some(id) = sealed.ok().as_deref().and_then(SessionId::parse) {
            response.headers_mut().insert(SESSION_ID, id.header_value());
        }
        response
    }

    /// The client of a request; or the answer, when it has none, or another replica has given it.
    pub(super) async fn client(&self, request: &Request<'_>) -> Result<Arc<Client>, Box<Response<Body>>> {
        let (revision, principal) = (request.context.revision, self.principal.clone());
        if revision.era() == Era::Modern {
            return Ok(Arc::new(Client::modern(revision, &request.meta, principal)));
        }
        match self.session(&request.context, Some(request)) {
            Err(why) => Err(Box::new(answer::refusal(&why))),
            Ok(None) => Ok(Arc::new(Client::without_session(revision, principal))),
            Ok(Some(ticket)) => match self.held_elsewhere(&ticket).await {
                Some(response) => Err(Box::new(response)),
                None => Ok(Arc::new(self.in_session(&ticket))),
            },
        }
    }

    pub(super) fn in_session(&self, ticket: &Ticket) -> Client {
        let live = self.visit.server.sessions.live(ticket.key);
        Client::in_session(ticket, live, self.principal.clone())
    }

    /// The session that a message names. A legacy client that names none is served without one: it can be asked nothing,
    /// and nothing is remembered of it.
    pub(super) fn session(
        &self,
        context: &Context,
        request: Option<&Request<'_>>,
    ) -> Result<Option<Ticket>, Refusal> {
        let id = request.map(|request| &request.id);
        let Some(session) = &context.session else {
            let named = self.arrived.parts.headers.contains_key(SESSION_ID);
            return if named { Err(Refusal::session_unknown(id)) } else { Ok(None) };
        };
        self.opened(session, request).map(Some)
    }

    fn opened(&self, session: &SessionId, request: Option<&Request<'_>>) -> Result<Ticket, Refusal> {
        let opened = self.visit.server.sessions.open(session, &self.principal.fingerprint());
        opened.map_err(|_| Refusal::session_unknown(request.map(|request| &request.id)))
    }

    async fn notification(&self, notification: Notification<'_>) -> Response<Body> {
        let ticket = match self.session(&notification.context, None) {
            Err(why) => return answer::refusal(&why),
            Ok(None) => return answer::accepted(),
            Ok(Some(ticket)) => ticket,
        };
        if let Some(response) = self.held_elsewhere(&ticket).await {
            return response;
        }
        match &notification.notified {
            Notified::Cancelled { request_id, .. } => {
                if let Some(live) = self.visit.server.sessions.find(ticket.key) {
                    live.cancel(request_id);
                }
            }
            Notified::RootsListChanged => self.visit.server.pool.roots_changed(ticket.key),
            _ => {}
        }
        answer::accepted()
    }

    /// The answer of the replica at `owner`, when that is another one and can be reached. When it cannot, whoever asked goes
    /// on here, without what that one holds.
    pub(super) async fn elsewhere(&self, owner: &str) -> Option<Response<Body>> {
        self.visit.shared.forward(owner, self.arrived).await
    }

    /// What the replica at `owner` says of a task of its own; none when it is lost, even in the middle of it. A task is no
    /// affair of a session: one that lives here stays here.
    pub(super) async fn of_task(&self, owner: &str) -> Option<Response<Body>> {
        let mut arrived = self.arrived.clone();
        arrived.parts.headers.remove(SESSION_ID);
        match self.visit.shared.ask_peer(owner, &arrived).await? {
            Ok(response) => Some(response),
            Err(PeerError::Interrupted { .. } | PeerError::Unreachable { .. }) => None,
            Err(error @ PeerError::Busy { .. }) => Some(answer::peer_failed(&error)),
        }
    }

    fn check_mirrored(&self, request: &Request<'_>) -> Result<(), Refusal> {
        let Operation::CallTool(call) = &request.operation else { return Ok(()) };
        match (request.context.era(), self.visit.snapshot.tool_for(&self.principal, &call.name)) {
            (Era::Modern, Some(entry)) => check_param_headers(
                &self.arrived.parts.headers,
                &entry.mirrored,
                call.arguments_json(),
                &request.id,
            ),
            _ => Ok(()),
        }
    }
}

/// What is read and not offered here.
pub(super) fn unserved(request: &Request<'_>) -> Refusal {
    Refusal::method_not_found(&request.id, request.operation.method(), request.context.era())
}

/// Registers a request so that its client can cancel it.
pub(super) fn running(client: &Client, request: &Request<'_>) -> Option<Running> {
    client.live.as_ref().map(|live| live.begin(&request.id))
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
