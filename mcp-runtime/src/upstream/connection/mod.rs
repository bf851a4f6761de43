//! One MCP client connection: a server whose era is known, and what is asked of it.
//!
//! ```text
//! Target: Endpoint (URL, headers) -> open    ┐ server/discover,
//!         Program                 -> started ┴ else initialize -> Session { outlet, peer, wire, side }
//! Connection -> rounds: a request until it is complete
//!            -> exchange: one request, the messages before its answer to the caller, and the answer
//!               <- feed: the response to the POST   <- side, pipe: the session's own stream, by delivery and inbox
//! ```
//! Nothing is sent twice, with one exception: a server that does not know our session has not looked at the request,
//! so after a new `initialize` it is sent once more.

mod bare;
mod body;
mod delivery;
mod endpoint;
mod error;
mod exchange;
mod feed;
mod hello;
mod inbox;
mod listing;
mod news;
mod open;
mod outlet;
mod outside;
mod phrase;
mod pipe;
mod plan;
mod questions;
mod rounds;
mod session;
mod side;
mod started;

pub use endpoint::Endpoint;
pub use error::{ClientError, RpcFailure};
pub use hello::Found;
pub use listing::Listing;
pub use outlet::Target;
pub(super) use phrase::relayed;
pub(super) use plan::{Listens, Mirrored, Plan};
pub use session::{About, Wire};

use super::bell::Bell;
use crate::{
    admission::Permit,
    exchange::{Caller, Request, Resumption, Standing},
};
use arc_swap::ArcSwap;
use exchange::{Audience, Reply, exchange};
use mcpfleet_protocol::{
    ClientCapabilities, Era, Revision,
    client::{Ask, AskContext, Outgoing, Peer},
    jsonrpc::Id,
    server::LogLevel,
};
use phrase::Phrase;
use serde_json::value::RawValue;
use session::Session;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Largest message, in bytes.
const MAX_MESSAGE: usize = 8 * 1024 * 1024;

/// A connection to one server.
#[derive(Debug)]
pub struct Connection {
    plan: Plan,
    found: Found,
    /// Replaced when it is renewed.
    session: ArcSwap<Session>,
    /// Held while a session is renewed, so that many calls that meet its end renew it once.
    renewal: tokio::sync::Mutex<()>,
    /// Counts renewals.
    renewals: watch::Sender<u64>,
    ids: Ids,
}

/// Numbers that are unique within a connection.
#[derive(Debug, Default)]
struct Ids(AtomicI64);

impl Ids {
    fn next(&self) -> Id<'static> {
        Id::number(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Connection {
    /// Finds out how a server is spoken to and says hello, as a client that can do nothing by itself. Unbounded in time:
    /// set a deadline around it.
    ///
    /// # Errors
    /// Why the server cannot be used, now or at all.
    pub async fn open(endpoint: Endpoint) -> Result<Self, ClientError> {
        let (declared, bell) = (ClientCapabilities::default(), Arc::new(Bell::unheard()));
        let (target, listens) = (Target::Url(endpoint), Listens::Never);
        let (mirrored, standing) = (Mirrored::default(), Standing::default());
        let plan = Plan { target, declared, listens, bell, mirrored, standing };
        Self::planned(plan, None).await
    }

    /// The connection of a plan. What was `found` is not asked for again.
    pub(super) async fn planned(plan: Plan, found: Option<Found>) -> Result<Self, ClientError> {
        let ids = Ids::default();
        let session = plan.greet(&ids, found).await?;
        Ok(Self {
            found: Found { era: session.peer.era(), wire: session.wire },
            plan,
            session: ArcSwap::from_pointee(session),
            renewal: tokio::sync::Mutex::default(),
            renewals: watch::Sender::default(),
            ids,
        })
    }

    /// The server's era.
    pub fn era(&self) -> Era {
        self.found.era
    }

    /// The revision that is spoken with it.
    pub fn revision(&self) -> Revision {
        self.session.load().revision()
    }

    /// How it is spoken to.
    pub fn found(&self) -> Found {
        self.found
    }

    /// What the server says of itself.
    pub fn about(&self) -> About {
        self.session.load().about.clone()
    }

    /// Whether the server keeps something for it, so that two connections are two.
    pub(super) fn is_stateful(&self) -> bool {
        self.plan.is_stateful(&self.session.load())
    }

    /// Whether news come by themselves on its own stream.
    pub(super) fn is_listening(&self) -> bool {
        self.session.load().is_listening()
    }

    /// Changes when the session is renewed: what the server kept for it is gone.
    pub(super) fn renewals(&self) -> watch::Receiver<u64> {
        self.renewals.subscribe()
    }

    /// Every page of `tools/list`, within bounds.
    ///
    /// # Errors
    /// [`ClientError`]; a list that breaks off is no list.
    pub async fn list_tools(&self) -> Result<Listing, ClientError> {
        listing::tools(self).await.inspect(|listing| self.note(listing))
    }

    /// Every page of every list that the server has, within bounds.
    ///
    /// # Errors
    /// As [`Connection::list_tools`].
    pub async fn list(&self) -> Result<Listing, ClientError> {
        listing::all(self).await.inspect(|listing| self.note(listing))
    }

    /// Ends a legacy session. A connection that is dropped does the same in the background.
    pub async fn close(self) {
        let session = self.session.load_full();
        session.farewell().await;
    }

    /// Tells a legacy server that the client's roots have changed.
    pub(super) fn roots_changed(&self) {
        self.session.load().roots_changed();
    }

    /// Asks a legacy server for log messages of `wanted` and more severe, unless that was asked for already.
    pub(super) async fn log_from(&self, wanted: LogLevel) {
        let session = self.session.load_full();
        if self.era() == Era::Legacy
            && session.about.capabilities.logging == mcpfleet_protocol::Offered::Yes
            && let Some(level) = session.change_level(wanted)
        {
            // A server that refuses sends what it likes; what is not wanted goes no further than the caller.
            let _ = self.ask(&Ask::SetLogLevel(level), &AskContext::default()).await;
        }
    }

    /// A request of our own.
    pub(super) async fn ask(
        &self,
        ask: &Ask<'_>,
        context: &AskContext<'_>,
    ) -> Result<Box<RawValue>, ClientError> {
        self.request(Audience::Nobody, |peer, id| Ok(peer.ask(id, ask, context)), None).await
    }

    /// One attempt of a caller's request.
    async fn attempt_all(
        &self,
        request: &Request,
        phrase: &Phrase<'_>,
        resumption: Option<&Resumption>,
        caller: &Caller,
        permit: Option<&Permit>,
    ) -> Result<Box<RawValue>, ClientError> {
        let mirrored = self.plan.mirrored.load();
        let params = match &request.ask {
            crate::exchange::Ask::CallTool { name, .. } => mirrored.get(name).map(Vec::as_slice),
            _ => None,
        };
        let make = |peer: &Peer, id: &Id<'_>| phrase.outgoing(peer, id, resumption, params);
        self.request(Audience::Caller(caller), make, permit).await
    }

    /// One request and its answer, after a renewal of the session when that has ended.
    async fn request(
        &self,
        audience: Audience<'_>,
        make: impl Fn(&Peer, &Id<'_>) -> Result<Outgoing, ClientError>,
        permit: Option<&Permit>,
    ) -> Result<Box<RawValue>, ClientError> {
        let session = self.session.load_full();
        match self.attempt(&session, audience, &make).await {
            Err(ClientError::SessionExpired) => {
                // It waits for one call's `initialize`, whoever of them makes it.
                let blocked = permit.map(Permit::blocked);
                let session = self.renewed(&session).await?;
                drop(blocked);
                self.attempt(&session, audience, &make).await
            }
            other => other,
        }
    }

    async fn attempt(
        &self,
        session: &Arc<Session>,
        audience: Audience<'_>,
        make: impl Fn(&Peer, &Id<'_>) -> Result<Outgoing, ClientError>,
    ) -> Result<Box<RawValue>, ClientError> {
        let id = self.ids.next();
        let outgoing = make(&session.peer, &id)?;
        let mut cancel = CancelOnDrop { armed: Some((session.clone(), id.clone())) };
        let reply = exchange(session, &self.plan.bell, audience, &id, outgoing).await;
        // It is done, well or badly, unless we have stopped reading: there is nothing to cancel any more.
        if !matches!(reply, Err(ClientError::TooLarge { .. } | ClientError::TooManyQuestions { .. })) {
            cancel.armed = None;
        }
        match reply? {
            Reply::Result(result) => Ok(result),
            Reply::Error(failure) => Err(ClientError::Rpc(failure)),
        }
    }

    /// The session after `stale`.
    async fn renewed(&self, stale: &Arc<Session>) -> Result<Arc<Session>, ClientError> {
        let _one_at_a_time = self.renewal.lock().await;
        let current = self.session.load_full();
        if !Arc::ptr_eq(&current, stale) {
            return Ok(current);
        }
        stale.expired();
        let renewed = Arc::new(self.plan.greet(&self.ids, Some(self.found)).await?);
        self.session.store(renewed.clone());
        self.renewals.send_modify(|renewals| *renewals += 1);
        Ok(renewed)
    }

    fn note(&self, listing: &Listing) {
        self.plan.mirrored.store(Arc::new(listing.mirrored()));
    }
}

/// Until the next attempt at a stream after `failures` in a row.
fn backoff(failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures.min(8));
    (Duration::from_millis(200) * factor).min(Duration::from_secs(30))
}

/// Tells the server that nobody waits for an answer any more.
struct CancelOnDrop {
    armed: Option<(Arc<Session>, Id<'static>)>,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some((session, id)) = self.armed.take() {
            session.cancel(&id);
        }
    }
}
