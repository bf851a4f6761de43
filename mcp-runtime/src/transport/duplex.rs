//! A client on a transport that carries messages both ways and has no response of its own for each request: stdio, and
//! the HTTP+SSE of 2024-11-05.
//!
//! Every message that arrives is answered on the one way back, in whatever order the answers come. The era is the
//! message's own here too: whoever speaks 2026-07-28 says so in `_meta` (2026-07-28, basic/transports/stdio).

use super::{
    intake::Share,
    streaming::{self, Unheard},
    subscriber::Subscriber,
    subscriptions,
};
use crate::{
    conversation::{self, Answered, Client, Delivery, Exchange, Step, Visit},
    identity::{Pass, Principal},
    session::Live,
    transport::Shared,
};
use bytes::Bytes;
use mcpfleet_protocol::{
    ClientCapabilities, Era, Revision, Subscription, jsonrpc,
    server::{
        Incoming, Initialize, Listen, Notification, Notified, Operation, Posted, Refusal, Request,
        accept_message,
    },
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Messages that wait to be written. More make whoever sends them wait.
pub const BACKLOG: usize = 32;

/// Whose message it is, and its share of the memory for such.
type Sender<'a> = (&'a Arc<Principal>, &'a Share);

/// One client.
pub struct Duplex {
    shared: Arc<Shared>,
    /// Path of its server, to find the snapshot of each moment.
    path: String,
    live: Arc<Live>,
    out: mpsc::Sender<Bytes>,
    agreed: Mutex<Option<(Revision, ClientCapabilities)>>,
}

impl Duplex {
    /// A client that has said nothing yet. Messages for it go to `out`.
    pub fn new(shared: Arc<Shared>, path: String, live: Arc<Live>, out: mpsc::Sender<Bytes>) -> Arc<Self> {
        Arc::new(Self { shared, path, live, out, agreed: Mutex::default() })
    }

    /// Takes one message, or a batch, from `principal`. What is carried out is answered later; what is known at once is
    /// answered before this returns, which waits for a client that does not read. `share` is kept as long as the work is.
    pub async fn receive(self: &Arc<Self>, principal: &Arc<Principal>, body: &[u8], share: &Share) {
        let Some(visit) = self.visit() else {
            return self.send(Answered::unserved().message).await;
        };
        match accept_message(body, self.negotiated()) {
            Err(why) => self.refuse(&why).await,
            Ok(Posted::One(incoming)) => self.one(&visit, (principal, share), incoming).await,
            Ok(Posted::Batch(messages)) if self.negotiated() == Some(Revision::WITH_BATCHES) => {
                for message in messages {
                    match message {
                        Ok(incoming) => self.one(&visit, (principal, share), incoming).await,
                        Err(why) => self.refuse(&why).await,
                    }
                }
            }
            Ok(Posted::Batch(_)) => self.refuse(&Refusal::batch()).await,
        }
    }

    /// Answers what could not be read.
    pub async fn refuse(&self, why: &Refusal) {
        if let Some(message) = why.message_in(self.negotiated()) {
            self.send(message).await;
        }
    }

    /// Path of its server.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The client has left: what it has begun is given up.
    pub fn leave(&self) {
        self.live.end();
        if let Some(visit) = self.visit() {
            visit.server.sessions.end(self.live.key);
            visit.server.pool.forget(self.live.key);
        }
    }

    fn visit(&self) -> Option<Visit> {
        let server = self.shared.fleet.find(crate::fleet::Address::read(&self.path))?;
        let snapshot = server.snapshot();
        Some(Visit { shared: self.shared.clone(), server, snapshot })
    }

    fn agreed(&self) -> Option<(Revision, ClientCapabilities)> {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn negotiated(&self) -> Option<Revision> {
        self.agreed().map(|(revision, _)| revision)
    }

    /// The transport may be gone: then nobody waits for it.
    async fn send(&self, message: Bytes) {
        let _ = self.out.send(message).await;
    }

    async fn one(self: &Arc<Self>, visit: &Visit, sender: Sender<'_>, incoming: Incoming<'_>) {
        match incoming {
            Incoming::Request(request) => self.request(visit, sender, &request).await,
            Incoming::Notification(notification) => self.notification(visit, &notification),
            Incoming::Response(response) => {
                if let Some(id) = &response.id {
                    self.live.answered(id, &response.outcome);
                }
            }
        }
    }

    fn notification(self: &Arc<Self>, visit: &Visit, notification: &Notification<'_>) {
        match &notification.notified {
            Notified::Cancelled { request_id, .. } => self.live.cancel(request_id),
            Notified::RootsListChanged => visit.server.pool.roots_changed(self.live.key),
            // The client is ready: from now on it is told of changes.
            Notified::Initialized => {
                if let Some(permit) = visit.server.streams.open() {
                    let (live, right) = (Some(self.live.clone()), (permit, Pass::unlimited()));
                    let subscriber = Subscriber::new(visit, Subscription::legacy(), live, Vec::new(), right);
                    tokio::spawn(tell(subscriber, self.out.clone()));
                }
            }
            _ => {}
        }
    }

    async fn request(self: &Arc<Self>, visit: &Visit, (principal, share): Sender<'_>, request: &Request<'_>) {
        if let Operation::Initialize(wanted) = &request.operation {
            return self.initialize(visit, request, wanted).await;
        }
        let client = Arc::new(self.client(principal, request));
        if let Operation::Listen(wanted) = &request.operation {
            return self.listen(visit, &client, request, wanted).await;
        }
        if let Some(answered) = conversation::answer(visit, &client, request).await {
            return self.send(answered.message).await;
        }
        match conversation::begin(visit, &client, request, Delivery::Streamed) {
            Some(Ok(exchange)) => {
                // Modern clients cancel by a notification too where there is no stream to close.
                let running = self.live.begin(&request.id);
                let exchange = exchange.keeping(share.clone());
                self.shared.detached.spawn(self.clone().carry(exchange, running));
            }
            Some(Err(answered)) => self.send(answered.message).await,
            None => {
                let method = request.operation.method();
                let why = Refusal::method_not_found(&request.id, method, client.era());
                self.send(why.body()).await;
            }
        }
    }

    async fn carry(self: Arc<Self>, exchange: Exchange, running: crate::session::Running) {
        let (out, mut steps) = mpsc::channel(1);
        let driven = streaming::drive(exchange, Some(running), Unheard::GivesUp, out);
        let written = async {
            while let Some(step) = steps.recv().await {
                match step {
                    Step::Message(message) => self.send(message).await,
                    Step::Last(Answered { message, permit, .. }) => {
                        // The work is done; how fast the client reads is no reason to keep others waiting.
                        drop(permit);
                        self.send(message).await;
                    }
                }
            }
        };
        tokio::join!(driven, written);
    }

    async fn initialize(&self, visit: &Visit, request: &Request<'_>, wanted: &Initialize<'_>) {
        let capabilities = ClientCapabilities::read(wanted.capabilities);
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = Some((wanted.negotiated, capabilities));
        let result = visit.snapshot.initialize(wanted.negotiated);
        self.send(jsonrpc::success(&request.id, &result)).await;
    }

    async fn listen(&self, visit: &Visit, client: &Client, request: &Request<'_>, wanted: &Listen) {
        let (honoured, watched) = subscriptions::honoured(visit, &client.principal, wanted).await;
        let subscription = Subscription::modern(&request.id, honoured);
        let Some(permit) = visit.server.streams.open() else {
            return self
                .send(super::answer::no_stream_message(Some(&request.id), visit.server.streams.max()))
                .await;
        };
        let subscriber = Subscriber::new(visit, subscription, None, watched, (permit, Pass::unlimited()));
        let running = self.live.begin(&request.id);
        let out = self.out.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = running.cancelled.cancelled() => {}
                () = tell(subscriber, out) => {}
            }
        });
    }

    fn client(&self, principal: &Arc<Principal>, request: &Request<'_>) -> Client {
        let (revision, principal) = (request.context.revision, principal.clone());
        if revision.era() == Era::Modern {
            return Client::modern(revision, &request.meta, principal);
        }
        let (revision, capabilities) = self.agreed().unwrap_or((revision, ClientCapabilities::default()));
        Client { revision, capabilities, principal, live: Some(self.live.clone()) }
    }
}

/// Sends everything that a subscriber hears, as long as somebody takes it.
async fn tell(mut subscriber: Subscriber, out: mpsc::Sender<Bytes>) {
    loop {
        let message = tokio::select! {
            message = subscriber.next() => message,
            () = out.closed() => return,
        };
        let Some(message) = message else { return };
        if out.send(message).await.is_err() {
            return;
        }
    }
}

impl std::fmt::Debug for Duplex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Duplex").field("path", &self.path).finish_non_exhaustive()
    }
}
