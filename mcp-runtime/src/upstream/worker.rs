//! The background task of one upstream: open, list, listen, list again when something changed or some time has passed;
//! and when that fails, begin anew.

use super::{
    Pace,
    again::Budget,
    bell::Bell,
    board::{Board, Turn},
    connection::{ClientError, Connection, Listens, Listing, Mirrored, Plan, Target},
    interest::Interests,
    known::{Greeting, Keep},
    listening::Listener,
    pace::News,
    remote::Remote,
    sessions::Sessions,
    task::StopOnDrop,
    wanted::Wanted,
};
use crate::{egress::Egress, exchange::Standing};
use mcpfleet_protocol::{ClientCapabilities, json::JsonText};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};

/// How often unused sessions are looked for.
const SWEEP: Duration = Duration::from_mins(1);

pub(super) struct Worker {
    /// Name of the upstream.
    upstream: String,
    target: Target,
    around: Around,
    turn: Turn,
    bell: Arc<Bell>,
}

/// What a worker shares with others.
#[derive(Clone)]
pub(super) struct Around {
    pub(super) pace: Pace,
    pub(super) board: Arc<Board>,
    pub(super) interests: Arc<Interests>,
    pub(super) bell: Arc<Bell>,
}

impl Worker {
    /// A worker for an upstream that can be tried.
    ///
    /// # Errors
    /// Why it cannot; only another configuration changes that.
    pub(super) fn new(wanted: &Wanted, egress: &Egress, around: Around, turn: Turn) -> Result<Self, String> {
        let target = wanted.target(egress, around.pace)?;
        let bell = around.bell.clone();
        Ok(Self { upstream: wanted.upstream.name.clone(), target, around, turn, bell })
    }

    /// Runs until it is stopped from outside.
    pub(super) async fn run(self) {
        let mut failing: Option<Failing> = None;
        let mut sessions: Option<Arc<Sessions>> = None;
        loop {
            let error = match self.connect(&mut sessions).await {
                Ok(remote) => {
                    let era = remote.watching.era().label();
                    tracing::info!(upstream = self.upstream, era, "upstream connected");
                    failing = None;
                    let error = self.stay(&remote).await;
                    tracing::info!(upstream = self.upstream, %error, "upstream lost; connecting anew");
                    // A restart, a new era or a load balancer's cut: most of the time a new hello is all it takes.
                    continue;
                }
                Err(error) => error,
            };
            let failing = failing.get_or_insert_with(Failing::begin);
            failing.attempts = failing.attempts.saturating_add(1);
            self.unreachable(&error, failing);
            // Whoever they were for cannot use them now, nor end them.
            if let Some(sessions) = &sessions {
                sessions.sweep(Instant::now());
            }
            sleep(self.around.pace.until_retry(failing.attempts)).await;
        }
    }

    /// Greets and lists. Sessions of clients outlive a moment's loss, as long as the server is of the same kind.
    async fn connect(&self, sessions: &mut Option<Arc<Sessions>>) -> Result<Arc<Remote>, ClientError> {
        let plan = self.plan();
        let watching = self.patiently(Connection::planned(plan.clone(), None)).await?;
        let listing = self.patiently(watching.list()).await?;
        let found = watching.found();
        let fitting = sessions.take().filter(|sessions| sessions.found() == found);
        let fitting =
            fitting.unwrap_or_else(|| Arc::new(Sessions::new(plan, found, self.around.pace.patience)));
        *sessions = Some(fitting.clone());
        let remote =
            Arc::new(Remote { watching: Arc::new(watching), sessions: fitting, budget: Budget::default() });
        self.connected(&remote, listing);
        Ok(remote)
    }

    /// The connection that lists can do everything, so that nothing is hidden from it. Nobody is asked through it.
    fn plan(&self) -> Plan {
        Plan {
            target: self.target.clone(),
            declared: everything(),
            listens: Listens::ForNews,
            bell: self.bell.clone(),
            mirrored: Mirrored::default(),
            standing: Standing::default(),
        }
    }

    /// Lists from time to time, when the server says that something changed, and soon after a call has failed in a way
    /// that concerns all; returns when the server no longer answers.
    async fn stay(&self, remote: &Arc<Remote>) -> ClientError {
        let stands = Arc::new(AtomicBool::default());
        let _listener = self.listen(remote, &stands);
        let mut sweep = interval(SWEEP);
        let mut next = self.next_list(remote, &stands);
        loop {
            tokio::select! {
                () = sleep_until(next) => {}
                // Many calls can fail at once: they give one new list, and not at once either.
                () = self.turn.check.notified() => sleep(self.around.pace.until_retry(1)).await,
                () = self.bell.rung() => sleep(self.around.pace.debounce).await,
                now = sweep.tick() => {
                    remote.sessions.sweep(now);
                    continue;
                }
            }
            match self.patiently(remote.watching.list()).await {
                Ok(listing) => self.connected(remote, listing),
                Err(error) => return error,
            }
            next = self.next_list(remote, &stands);
        }
    }

    fn listen(&self, remote: &Arc<Remote>, stands: &Arc<AtomicBool>) -> StopOnDrop {
        let listener = Listener {
            connection: remote.watching.clone(),
            interests: self.around.interests.clone(),
            bell: self.bell.clone(),
            pace: self.around.pace,
            stands: stands.clone(),
        };
        StopOnDrop(tokio::spawn(listener.run()))
    }

    fn next_list(&self, remote: &Remote, stands: &AtomicBool) -> Instant {
        let listening = remote.watching.is_listening() || stands.load(Ordering::Relaxed);
        let news =
            if listening && remote.watching.about().announces_lists() { News::Told } else { News::Untold };
        Instant::now() + self.around.pace.until_refresh(news)
    }

    async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let patience = self.around.pace.patience;
        timeout(patience, work).await.unwrap_or(Err(ClientError::Timeout(patience)))
    }

    fn connected(&self, remote: &Arc<Remote>, listing: Listing) {
        let greeting = Greeting {
            revision: remote.watching.revision(),
            wire: remote.watching.found().wire,
            about: remote.watching.about(),
        };
        self.around.board.write(&self.upstream, &self.turn, |known, upstream| {
            known.answered(upstream, listing, greeting, remote.clone());
            known.complain(self.target.complaint());
        });
    }

    fn unreachable(&self, error: &ClientError, failing: &Failing) {
        // The first failure is news; the rest is in the status, and would fill a log for as long as it lasts.
        if failing.attempts == 1 {
            tracing::warn!(upstream = self.upstream, %error, "upstream unreachable; it is asked again");
        } else {
            tracing::debug!(upstream = self.upstream, %error, failing.attempts, "upstream unreachable still");
        }
        let long = failing.since.elapsed() >= self.around.pace.keep_listed;
        let keep = if long { Keep::TakenOff } else { Keep::Listed };
        self.around.board.write(&self.upstream, &self.turn, |known, upstream| {
            known.lost(upstream, error.to_string(), keep);
        });
    }
}

/// All that a client can be, user interfaces of tools among it.
fn everything() -> ClientCapabilities {
    let interfaces = json!({"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}});
    let mut all = ClientCapabilities::from_bits(u16::MAX);
    all.extensions = Some(JsonText::from(&interfaces));
    all
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
