//! Who asks, and of whom.

use crate::{
    adoption,
    catalog::{Snapshot, merge::Target},
    exchange::{Interest as Asked, Profile},
    identity::Principal,
    server::Server,
    session::{Live, SessionKey, Ticket},
    transport::Shared,
    upstream::Interest,
};
use mcpfleet_protocol::{ClientCapabilities, Era, Revision, server::Meta};
use serde_json::value::RawValue;
use std::sync::Arc;

/// One request's surroundings: the server as it was when the request came.
#[derive(Clone, Debug)]
pub struct Visit {
    /// What all connections share.
    pub shared: Arc<Shared>,
    /// Which server.
    pub server: Arc<Server>,
    /// What it offers; kept to the end of the request.
    pub snapshot: Arc<Snapshot>,
}

impl Visit {
    /// Keeps what a session's client has said, for a replica that adopts it.
    pub async fn keep(&self, live: &Live) {
        adoption::keep(&self.server.store, live, &self.shared.own_address()).await;
    }

    /// Ends a session, here and for every replica that might adopt it.
    pub async fn end(&self, key: SessionKey) {
        self.server.sessions.end(key);
        self.server.pool.forget(key);
        adoption::end(self, key).await;
    }

    /// Watches a resource for a caller, as long as the interest lives; our own need none.
    ///
    /// # Errors
    /// There is no such resource that the caller may read, or its upstream is asked for too many already.
    pub fn interest(&self, uri: &str, caller: &Principal) -> Result<Option<Interest>, String> {
        let found = self.snapshot.resource(uri).filter(|found| caller.has_scopes(&found.scopes));
        let shown: String = uri.chars().take(80).collect();
        match found.ok_or_else(|| format!("there is no resource {shown:?} here that you may read"))?.target {
            Target::Upstream { upstream, .. } => {
                self.server.pool.interest(&upstream, uri).map(Some).map_err(|error| error.to_string())
            }
            _ => Ok(None),
        }
    }
}

/// The client, as far as it is known for one request.
#[derive(Clone, Debug)]
pub struct Client {
    /// The revision that its answer must be written in.
    pub revision: Revision,
    /// What it can do.
    pub capabilities: ClientCapabilities,
    /// Who it is.
    pub principal: Arc<Principal>,
    /// What is held of its session; legacy clients with a session only.
    pub live: Option<Arc<Live>>,
}

impl Client {
    /// A client of the modern era: all that is known came with the request.
    pub fn modern(revision: Revision, meta: &Meta<'_>, principal: Arc<Principal>) -> Self {
        let capabilities = meta.client_capabilities.map(ClientCapabilities::read).unwrap_or_default();
        Self { revision, capabilities, principal, live: None }
    }

    /// A client in a session.
    pub fn in_session(ticket: &Ticket, live: Arc<Live>, principal: Arc<Principal>) -> Self {
        Self { live: Some(live), ..Self::of_ticket(ticket, principal) }
    }

    /// A client in a session of which nothing is held here: it can be asked nothing.
    pub fn of_ticket(ticket: &Ticket, principal: Arc<Principal>) -> Self {
        let capabilities = ticket.capabilities.clone();
        Self { revision: ticket.revision, capabilities, principal, live: None }
    }

    /// A legacy client that has no session: nothing can be asked of it.
    pub fn without_session(revision: Revision, principal: Arc<Principal>) -> Self {
        Self { revision, capabilities: ClientCapabilities::default(), principal, live: None }
    }

    /// Its era.
    pub const fn era(&self) -> Era {
        self.revision.era()
    }

    /// Its capabilities as the newest revision writes them.
    fn declared(&self) -> Arc<RawValue> {
        let text = self.capabilities.write(Revision::LATEST_MODERN);
        // What we have written ourselves is JSON.
        RawValue::from_string(text.as_str().to_owned())
            .map_or_else(|_| RawValue::NULL.to_owned().into(), Arc::from)
    }

    /// What those who carry out its request are told of it.
    pub fn profile(&self, meta: &Meta<'_>) -> Profile {
        let progress = if meta.progress_token.is_some() { Asked::Wanted } else { Asked::Unwanted };
        let log_level = match self.era() {
            Era::Modern => meta.log_level,
            Era::Legacy => self.live.as_ref().and_then(|live| live.log_level()),
        };
        Profile {
            revision: self.revision,
            capabilities: self.declared(),
            partition: self.principal.fingerprint(),
            principal: self.principal.clone(),
            session: self.live.as_ref().map(|live| live.key),
            standing: self.live.as_ref().map(|live| live.standing.clone()).unwrap_or_default(),
            log_level,
            progress,
        }
    }
}
