//! The stream to the operator: configurations come down, acknowledgements and load go up (`docs/fleet-stream.md`).
//!
//! ```text
//! operator (who, where) -> dial (TCP, TLS, HTTP/2) -> session -> reload::push      configurations
//!      ^  backoff                                       |  ^  \-> draining          new clients or none
//!      +------------- lost, refused, redirected --------+  +----- agenda <- news    what to report when
//! ```
//! Without it nothing is worse than before: what is served is served on, and the mounted file is followed.

pub mod agenda;
pub mod backoff;
pub mod dial;
pub mod draining;
pub mod epochs;
pub mod news;
pub mod operator;
pub mod session;
pub mod teller;

use crate::reload::push::Push;
use backoff::{Backoff, chance};
use dial::{Dialled, dial};
use draining::Draining;
use epochs::Epochs;
use mcpfleet_config::stream::{HEARTBEAT, Serving};
use operator::Operator;
use session::Session;
use std::{pin::pin, time::Duration};
use teller::Teller;
use tokio::{sync::mpsc, time::Instant};

/// The uplink of one process.
#[derive(Debug)]
pub struct Uplink {
    /// Where the operator is.
    pub operator: Operator,
    /// What there is to say.
    pub teller: Teller,
    /// Where configurations go.
    pub pushes: mpsc::Sender<Push>,
}

/// What is known from earlier dials.
#[derive(Debug, Default)]
struct History {
    backoff: Backoff,
    epochs: Epochs,
    /// Set once it was said that there is no stream.
    told: bool,
}

impl Uplink {
    /// Keeps a stream open for as long as the process lives.
    pub async fn run(self) {
        let mut draining = Draining::new(self.teller.shared.clone(), self.teller.readiness.clone());
        let (mut history, mut wait) = (History::default(), Duration::ZERO);
        loop {
            let session = {
                let mut connecting = pin!(self.connect(&mut history, wait));
                tokio::select! {
                    session = connecting.as_mut() => session,
                    () = draining.abandoned() => {
                        tracing::warn!("the operator that began the drain is gone");
                        draining.serve(Serving::Normal);
                        connecting.await
                    }
                }
            };
            let since = Instant::now();
            self.teller.shared.metrics.operator_connected(true);
            let why = session.run(&self.teller, &self.pushes, &mut draining).await;
            self.teller.shared.metrics.operator_connected(false);
            history.lost(&why);
            // One that hangs up on us at once is none that takes us.
            if since.elapsed() >= HEARTBEAT {
                history.backoff.succeeded();
            }
            wait = history.backoff.failed(chance());
        }
    }

    /// Dials until somebody takes us.
    async fn connect(&self, history: &mut History, mut wait: Duration) -> Session {
        loop {
            tokio::time::sleep(wait).await;
            match self.attempt(history).await {
                Ok(session) => return session,
                Err(why) => history.lost(&why),
            }
            wait = history.backoff.failed(chance());
        }
    }

    async fn attempt(&self, history: &mut History) -> anyhow::Result<Session> {
        let mut at = None;
        loop {
            let token = self.operator.token().await?;
            // What changes from here on is news; what changed before is in the introduction.
            self.teller.shared.news.take();
            let (hello, told) = self.teller.introduction(&token)?;
            match dial(&self.operator, at, &token, hello).await? {
                Dialled::Redirected(address) => {
                    anyhow::ensure!(history.backoff.redirected(), "it redirects again and again");
                    tracing::debug!(%address, "the operator's leader is elsewhere");
                    at = Some(address);
                }
                Dialled::Open(stream) => {
                    let mut session = Session::new(*stream, told);
                    let epoch = session.welcome().await?;
                    if let Err(deposed) = history.epochs.admit(epoch) {
                        // Worth more than a failed dial: somebody leads who must not.
                        tracing::warn!(%deposed, "an operator of an older term is not listened to");
                        return Err(deposed.into());
                    }
                    history.connected();
                    tracing::info!(lease = epoch.lease, term = epoch.term, "connected to the operator");
                    return Ok(session);
                }
            }
        }
    }
}

impl History {
    fn connected(&mut self) {
        self.told = false;
    }

    /// Logs the first failure in a row; the others are for whoever looks for them.
    fn lost(&mut self, why: &anyhow::Error) {
        let reason = format!("{why:#}");
        if std::mem::replace(&mut self.told, true) {
            tracing::debug!(reason, "no stream to the operator still");
        } else {
            tracing::warn!(reason, "no stream to the operator; what is served is served on");
        }
    }
}
