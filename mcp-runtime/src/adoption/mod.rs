//! Which replica holds a session: the one that began it, and once that is gone the one that has adopted it.
//!
//! ```text
//! request in a session ──► held here? ──yes──► answered here
//!                              no
//!                              ▼
//!                 whoever is known to hold it ──► the one that began it ──► gone, both
//!                                                                            │
//!   with a store      its record says who has adopted it ◄───────────────────┤
//!   without           the other replicas are asked       ◄───────────────────┘
//!                              nobody has
//!                              ▼
//!   with a store      whoever asked writes itself into the record (compare and set: one of two writes)
//!   without           the replica that ranks first for this session among those that answer (rendezvous)
//! ```
//! So two replicas never adopt one session: with a store because it decides, without one because all that see the same
//! replicas come to the same answer. Without either (no store, and nobody has said which replicas there are) each that
//! is asked serves the session by itself.
//!
//! A replica that drains hands over what is quiet: it says that it holds a session only as long as a call of it runs.

mod adopt;
mod find;
pub mod question;
mod record;

pub use adopt::{Adopted, adopt};
pub use find::{Place, bequeathed, find};
pub use record::keep;

use crate::{
    conversation::Visit,
    session::{SessionKey, Ticket},
};
use http::HeaderName;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::timeout;

/// On a request from another replica: the session is to be adopted here. Its value is the holders that were found gone,
/// with commas between them. From anybody else it means nothing.
pub const ADOPT: HeaderName = HeaderName::from_static("mcpfleet-adopt");
/// Most sessions that are remembered as adopted, here or elsewhere. What is forgotten is looked for again.
const MOST: usize = 100_000;
/// How long the end of a session waits for the other replicas to hear of it.
const HEARD: Duration = Duration::from_millis(500);
/// Claims of different sessions that do not wait for each other.
const SHARDS: usize = 32;

/// What this process knows of who holds which session.
#[derive(Debug)]
pub struct Adoptions {
    /// When this process began, in seconds since 1970: sessions of an earlier one at the same address are not held.
    began: u64,
    known: Mutex<Known>,
    claims: [tokio::sync::Mutex<()>; SHARDS],
}

#[derive(Debug, Default)]
struct Known {
    here: Recent<()>,
    elsewhere: Recent<String>,
}

/// A map that forgets what came first when it is full.
#[derive(Debug)]
struct Recent<V> {
    values: HashMap<SessionKey, V>,
    order: VecDeque<SessionKey>,
}

impl Default for Adoptions {
    fn default() -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            began,
            known: Mutex::default(),
            claims: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        }
    }
}

impl Adoptions {
    /// Whether a session was adopted here.
    pub fn is_here(&self, key: SessionKey) -> bool {
        self.known().here.values.contains_key(&key)
    }

    /// It is adopted here from now on.
    fn take(&self, key: SessionKey) {
        let mut known = self.known();
        known.elsewhere.remove(key);
        known.here.insert(key, ());
    }

    /// Who was last found to have adopted it.
    pub fn holder(&self, key: SessionKey) -> Option<String> {
        self.known().elsewhere.values.get(&key).cloned()
    }

    /// Another replica holds it.
    pub fn note(&self, key: SessionKey, holder: &str) {
        let mut known = self.known();
        known.here.remove(key);
        known.elsewhere.insert(key, holder.to_owned());
    }

    /// Nothing is known of it any more: it has ended, or whoever held it is gone.
    pub fn forget(&self, key: SessionKey) {
        let mut known = self.known();
        known.here.remove(key);
        known.elsewhere.remove(key);
    }

    /// Held while it is decided who adopts a session, so that many requests of it decide once.
    pub async fn claiming(&self, key: SessionKey) -> tokio::sync::MutexGuard<'_, ()> {
        self.claims[usize::from(key[0]) % SHARDS].lock().await
    }

    /// Whether this process itself began a session.
    fn began(&self, ticket: &Ticket, own: &str) -> bool {
        ticket.owner == own && ticket.issued >= self.began
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Recent<V> {
    fn insert(&mut self, key: SessionKey, value: V) {
        if self.values.insert(key, value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.values.remove(&oldest);
            }
        }
    }

    /// Its place in the order stays until it is the oldest.
    fn remove(&mut self, key: SessionKey) {
        self.values.remove(&key);
    }
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { values: HashMap::default(), order: VecDeque::default() }
    }
}

impl Visit {
    /// Whether a session is held here: nobody else can answer for it.
    pub fn holds(&self, ticket: &Ticket) -> bool {
        let shared = &self.shared;
        if shared.peers.is_none() || ticket.owner.is_empty() {
            return true;
        }
        let ours = shared.adoptions.is_here(ticket.key) || self.began(ticket);
        ours && !(shared.is_draining() && self.server.sessions.is_quiet(ticket.key))
    }

    /// Whether this process itself began a session, so that nothing of it was lost with another.
    fn began(&self, ticket: &Ticket) -> bool {
        self.shared.adoptions.began(ticket, &self.shared.own_address())
    }
}

/// A session was deleted, and is not to be adopted by any replica.
pub async fn end(visit: &Visit, key: SessionKey) {
    let shared = &visit.shared;
    shared.adoptions.forget(key);
    let Some(peers) = shared.peers.clone() else { return };
    if visit.server.store.is_shared() {
        match record::bury(&visit.server.store, key).await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, "the end of a session is told to the replicas instead"),
        }
    }
    let server = visit.server.name.clone();
    let told = shared.detached.spawn(async move { question::tell_ended(&peers, &server, key).await });
    // Its client need not wait for replicas that do not answer.
    let _ = timeout(HEARD, told).await;
}
