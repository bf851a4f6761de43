//! MCP servers behind this one: connected in the background, listed, called.
//!
//! A [`Pool`] outlives configurations: [`Pool::apply`] connects what is new, drops what is gone and leaves the
//! rest alone. What an upstream offers is published as a [`Roster`]; whoever builds the catalogue waits on
//! [`Pool::changed`]. One slow or failing upstream is marked in its own [`UpstreamStatus`] and harms nobody.
//!
//! ```text
//! Pool::apply -> one worker per upstream: open, list, wait, list, ...  -> board (a slot each) -> Roster
//! Pool::call  -> the slot's connection -> POST tools/call -> Outcome
//! ```

mod board;
pub mod connection;
mod failure;
mod naming;
mod pace;
mod wanted;
mod worker;

pub use board::Line;
pub use pace::Pace;

use crate::{
    admission::Permit,
    call::{CallError, Outcome},
    credentials::Credentials,
    egress::Egress,
    identity::Principal,
    outgoing::Signer,
};
use board::Board;
use mcpfleet_config::{Upstream, status::UpstreamStatus};
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};
use wanted::Wanted;
use worker::Worker;

/// All upstreams of one server.
#[derive(Debug)]
pub struct Pool {
    egress: Egress,
    signer: Signer,
    pace: Pace,
    board: Arc<Board>,
}

/// What the upstreams offer at one moment.
#[derive(Debug, Default)]
pub struct Roster {
    /// Every tool of every upstream that answers, or did until minutes ago, by upstream name and then as listed.
    pub tools: Vec<UpstreamTool>,
    /// Each upstream's state, by name.
    pub status: Vec<UpstreamStatus>,
}

/// A tool of an upstream.
#[derive(Debug, Clone)]
pub struct UpstreamTool {
    /// Name of the upstream.
    pub upstream: String,
    /// Its name there.
    pub name: String,
    /// Its name here: prefix and name.
    pub exposed_name: String,
    /// The whole definition as the upstream gave it, with `name` replaced by `exposed_name`; unknown fields kept.
    pub definition: Box<RawValue>,
}

impl Pool {
    /// An empty pool.
    pub fn new(egress: Egress, signer: Signer) -> Self {
        Self::with_pace(egress, signer, Pace::default())
    }

    /// An empty pool that asks its upstreams at another pace.
    pub fn with_pace(egress: Egress, signer: Signer, pace: Pace) -> Self {
        Self { egress, signer, pace, board: Arc::default() }
    }

    /// Connects to, keeps and drops upstreams so that they are `wanted`. An upstream whose declaration or credentials
    /// changed is connected anew; calls that are under way end on the connection that they began on. Must be called
    /// on a tokio runtime.
    pub fn apply(&self, wanted: &[Upstream], credentials: &Arc<Credentials>) {
        let wanted: Vec<Wanted> =
            wanted.iter().map(|upstream| Wanted::new(upstream, credentials, &self.signer)).collect();
        self.board.apply(&wanted, |wanted, turn| {
            let worker = Worker::new(wanted, &self.egress, self.pace, self.board.clone(), turn)?;
            Ok(tokio::spawn(worker.run()))
        });
    }

    /// What they offer now.
    pub fn roster(&self) -> Arc<Roster> {
        self.board.roster()
    }

    /// Wakes when the roster changes.
    pub fn changed(&self) -> watch::Receiver<Arc<Roster>> {
        self.board.changed()
    }

    /// What calls to an upstream go through, as of now.
    ///
    /// # Errors
    /// It is no part of this server, or cannot be reached.
    pub fn line(&self, upstream: &str) -> Result<Line, CallError> {
        self.board.line(upstream)
    }
}

impl Line {
    /// Calls a tool by its name at the upstream, `name` of which is for errors. Dropping the future cancels the call
    /// there. The request carries what the upstream is to see of `caller`. `permit` is told while the call waits for others on their way there.
    pub async fn call(
        self,
        name: &str,
        tool: &str,
        arguments: &RawValue,
        caller: Option<&Arc<Principal>>,
        permit: Option<&Permit>,
    ) -> Result<Outcome, CallError> {
        let Self { connection, after, check } = self;
        let outcome = timeout(after, connection.call_tool(tool, arguments, caller, permit)).await;
        let Ok(outcome) = outcome else {
            return Err(CallError::Timeout { tool: tool.to_owned(), after });
        };
        outcome.map(Outcome::Forwarded).map_err(|error| {
            if failure::is_about_the_connection(&error) {
                check.notify_one();
            }
            failure::for_caller(name, error)
        })
    }
}

/// The workers hold the board that holds them: without this they would go on for ever.
impl Drop for Pool {
    fn drop(&mut self) {
        self.board.clear();
    }
}

/// Deadline of one call.
fn call_timeout(upstream: &Upstream) -> Duration {
    Duration::from_millis(upstream.timeout_ms)
}
