//! The background task of one upstream: open, list, wait, list again; and when that fails, begin anew.

use super::{
    Pace,
    board::{Board, Turn},
    connection::{ClientError, Connection, Endpoint, Listing},
    naming,
    wanted::Wanted,
};
use crate::egress::Egress;
use mcpfleet_config::{Upstream, status::UpstreamState};
use std::sync::Arc;
use tokio::time::{Instant, sleep, timeout};

pub(super) struct Worker {
    upstream: Upstream,
    endpoint: Endpoint,
    pace: Pace,
    board: Arc<Board>,
    turn: Turn,
}

impl Worker {
    /// A worker for an upstream that can be tried.
    ///
    /// # Errors
    /// Why it cannot; only another configuration changes that.
    pub(super) fn new(
        wanted: &Wanted,
        egress: &Egress,
        pace: Pace,
        board: Arc<Board>,
        turn: Turn,
    ) -> Result<Self, String> {
        let endpoint = wanted.endpoint(egress)?;
        Ok(Self { upstream: wanted.upstream.clone(), endpoint, pace, board, turn })
    }

    /// Runs until it is stopped from outside.
    pub(super) async fn run(self) {
        let mut failing: Option<Failing> = None;
        loop {
            let error = match self.connect().await {
                Ok(connection) => {
                    let era = connection.era().label();
                    tracing::info!(upstream = self.upstream.name, era, "upstream connected");
                    failing = None;
                    let error = self.stay(&connection).await;
                    tracing::info!(upstream = self.upstream.name, %error, "upstream lost; connecting anew");
                    // A restart, a new era or a load balancer's cut: most of the time a new hello is all it takes.
                    continue;
                }
                Err(error) => error,
            };
            let failing = failing.get_or_insert_with(Failing::begin);
            failing.attempts = failing.attempts.saturating_add(1);
            self.unreachable(&error, failing);
            sleep(self.pace.until_retry(failing.attempts)).await;
        }
    }

    async fn connect(&self) -> Result<Arc<Connection>, ClientError> {
        let connection = self.patiently(Connection::open(self.endpoint.clone())).await?;
        let listing = self.patiently(connection.list_tools()).await?;
        let connection = Arc::new(connection);
        self.connected(&connection, listing);
        Ok(connection)
    }

    /// Lists from time to time, and soon after a call has failed in a way that concerns all; returns when the server no
    /// longer answers.
    async fn stay(&self, connection: &Arc<Connection>) -> ClientError {
        loop {
            tokio::select! {
                () = sleep(self.pace.until_refresh()) => {}
                // Many calls can fail at once: they give one new list, and not at once either.
                () = self.turn.check.notified() => sleep(self.pace.until_retry(1)).await,
            }
            match self.patiently(connection.list_tools()).await {
                Ok(listing) => self.connected(connection, listing),
                Err(error) => return error,
            }
        }
    }

    async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        timeout(self.pace.patience, work).await.unwrap_or(Err(ClientError::Timeout(self.pace.patience)))
    }

    fn connected(&self, connection: &Arc<Connection>, listing: Listing) {
        let (tools, message) = naming::expose(&self.upstream, listing);
        self.board.write(&self.upstream.name, &self.turn, |known| {
            known.state = UpstreamState::Connected;
            known.message = message;
            known.tools = tools;
            known.connection = Some(connection.clone());
        });
    }

    fn unreachable(&self, error: &ClientError, failing: &Failing) {
        // The first failure is news; the rest is in the status, and would fill a log for as long as it lasts.
        if failing.attempts == 1 {
            tracing::warn!(upstream = self.upstream.name, %error, "upstream unreachable; it is asked again");
        } else {
            tracing::debug!(upstream = self.upstream.name, %error, failing.attempts, "upstream unreachable still");
        }
        let forget = failing.since.elapsed() >= self.pace.keep_listed;
        self.board.write(&self.upstream.name, &self.turn, |known| {
            known.state = UpstreamState::Unreachable;
            known.message = Some(error.to_string());
            known.connection = None;
            if forget {
                known.tools = Vec::new();
            }
        });
    }
}

/// A row of failures.
struct Failing {
    since: Instant,
    attempts: u32,
}

impl Failing {
    fn begin() -> Self {
        Self { since: Instant::now(), attempts: 0 }
    }
}
