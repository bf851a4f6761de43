//! MCP servers behind this one: connected in the background, listed, listened to, called.
//!
//! A [`Pool`] outlives configurations: [`Pool::apply`] connects what is new, drops what is gone and leaves the
//! rest alone; names, filters and pins are applied to what was listed last, without a new connection. What an upstream
//! offers is published as a [`Roster`]; whoever builds the catalogue waits on [`Pool::changed`]. One slow or failing upstream is marked in its own status and harms nobody.
//!
//! ```text
//! Pool::apply -> one worker per upstream: open, list, wait, list, ...  -> board (a slot each) -> Roster
//!                  listener: subscriptions -> bell -> list again, Pool::updates
//! Pool::line  -> the slot's remote -> a session that is right for the caller -> rounds of one request -> Outcome
//! ```
//!
//! | upstream | transport | calls | news |
//! |---|---|---|---|
//! | 2026-07-28 | Streamable HTTP | one connection for all; the caller's capabilities go with each | `subscriptions/listen` |
//! | 2025-03-26 to 2025-11-25 | Streamable HTTP | by session ([`sessions`]), if it has any | GET |
//! | 2024-11-05, or any over its transport | HTTP+SSE | by session, each with a stream of its own | that stream |
//! | any | stdio, `processes: shared` | one process for all, which asks nobody anything in the middle of a legacy call | its output |
//! | any | stdio, `processes: perSession` | by session, each with a process of its own | the output of the one that lists |

mod again;
mod approved;
mod bell;
mod board;
pub mod connection;
mod failure;
mod interest;
mod known;
mod line;
mod listening;
mod naming;
mod notes;
mod offer;
mod pace;
mod remote;
mod sessions;
mod task;
mod tools;
mod wanted;
mod worker;

pub use again::Repeat;
pub use bell::Updated;
pub use interest::{Interest, MAX_RESOURCES, TooMany};
pub use line::{Following, Line};
pub use offer::{Absence, Definitions, MissingTool, Roster, UpstreamOffer, UpstreamTool};
pub use pace::Pace;

use crate::{call::CallError, credentials::Credentials, egress::Egress, outgoing::Signer};
use bell::Bell;
use board::Board;
use interest::Interests;
use mcpfleet_config::Upstream;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{broadcast, watch};
use wanted::Wanted;
use worker::{Around, Worker};

/// All upstreams of one server.
#[derive(Debug)]
pub struct Pool {
    egress: Egress,
    signer: Signer,
    pace: Pace,
    board: Arc<Board>,
    /// By upstream. Wishes outlive configurations: an upstream that comes back is asked again.
    interests: Mutex<BTreeMap<String, Arc<Interests>>>,
    updates: broadcast::Sender<Updated>,
}

impl Pool {
    /// An empty pool.
    pub fn new(egress: Egress, signer: Signer) -> Self {
        Self::with_pace(egress, signer, Pace::default())
    }

    /// An empty pool that asks its upstreams at another pace.
    pub fn with_pace(egress: Egress, signer: Signer, pace: Pace) -> Self {
        let updates = broadcast::Sender::new(bell::BACKLOG);
        Self { egress, signer, pace, board: Arc::default(), interests: Mutex::default(), updates }
    }

    /// Connects to, keeps and drops upstreams so that they are `wanted`. An upstream whose declaration or credentials
    /// changed is connected anew; calls that are under way end on the connection that they began on. Must be called
    /// on a tokio runtime.
    pub fn apply(&self, wanted: &[Upstream], credentials: &Arc<Credentials>) {
        let wanted: Vec<Wanted> =
            wanted.iter().map(|upstream| Wanted::new(upstream, credentials, &self.signer)).collect();
        self.board.apply(&wanted, |wanted, turn| {
            let worker = Worker::new(wanted, &self.egress, self.around(&wanted.upstream.name), turn)?;
            Ok(tokio::spawn(worker.run()))
        });
    }

    /// What they offer now.
    pub fn roster(&self) -> Arc<Roster> {
        self.board.roster()
    }

    /// What of each upstream pins can be about: the definitions, as it gave them, of the tools that filters take; or its
    /// state, when it does not answer.
    pub fn definitions(&self) -> Vec<Definitions> {
        self.board.definitions()
    }

    /// Wakes when the roster changes.
    pub fn changed(&self) -> watch::Receiver<Arc<Roster>> {
        self.board.changed()
    }

    /// What requests to an upstream go through, as of now.
    ///
    /// # Errors
    /// It is no part of this server, or cannot be reached.
    pub fn line(&self, upstream: &str) -> Result<Line, CallError> {
        self.board.line(upstream)
    }

    /// Asks an upstream, now or once it answers, to tell when a resource changes, for as long as the guard lives. It is
    /// asked once, however many want to know, and again after each reconnect. Nothing comes from one that offers no
    /// subscriptions: see [`Roster::about`].
    ///
    /// # Errors
    /// [`TooMany`] resources of this upstream are subscribed to already.
    pub fn interest(&self, upstream: &str, uri: &str) -> Result<Interest, TooMany> {
        self.interests_in(upstream).add(uri)
    }

    /// Changes of resources, of all upstreams, from now on. Who reads slowly is told that he missed some.
    pub fn updates(&self) -> broadcast::Receiver<Updated> {
        self.updates.subscribe()
    }

    /// Ends the sessions that were opened for a legacy client's session which has ended. Calls that are under way end
    /// on them.
    pub fn forget(&self, session: [u8; 16]) {
        self.board.remotes().iter().for_each(|remote| remote.sessions.forget(session));
    }

    /// Names of the upstreams that keep something for each session of a client, so that it cannot move to another
    /// replica.
    pub fn stateful(&self) -> Vec<String> {
        self.board.stateful()
    }

    /// Hands on that a legacy client's roots have changed, to the upstreams that it has used.
    pub fn roots_changed(&self, session: [u8; 16]) {
        self.board.remotes().iter().for_each(|remote| remote.sessions.roots_changed(session));
    }

    fn around(&self, upstream: &str) -> Around {
        Around {
            pace: self.pace,
            board: self.board.clone(),
            interests: self.interests_in(upstream),
            bell: Arc::new(Bell::new(upstream, self.updates.clone())),
        }
    }

    fn interests_in(&self, upstream: &str) -> Arc<Interests> {
        let mut all = self.interests.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody holds any more is only a name.
        all.retain(|name, interests| name == upstream || Arc::strong_count(interests) > 1);
        all.entry(upstream.to_owned()).or_default().clone()
    }
}

/// The workers hold the board that holds them: without this they would go on for ever.
impl Drop for Pool {
    fn drop(&mut self) {
        self.board.clear();
    }
}
