//! What is to be sent to one pod. The latest counts: a pod that reads slowly skips configurations, and costs no memory.

use super::Config;
use mcpfleet_config::stream::Serving;
use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// One stream's outbox.
#[derive(Debug, Default)]
pub struct Outbox {
    pending: Mutex<Pending>,
    filled: Notify,
    closed: CancellationToken,
}

/// What waits to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// A configuration.
    pub config: Option<Config>,
    /// Where replicas reach each other.
    pub peers: Option<Vec<SocketAddr>>,
    /// What to be.
    pub serving: Option<Serving>,
}

impl Outbox {
    /// Sends a configuration, instead of one that has not left yet.
    pub fn config(&self, config: Config) {
        self.pending().config = Some(config);
        self.filled.notify_one();
    }

    /// Sends where replicas reach each other.
    pub fn peers(&self, peers: Vec<SocketAddr>) {
        self.pending().peers = Some(peers);
        self.filled.notify_one();
    }

    /// Sends what to be.
    pub fn serve(&self, serving: Serving) {
        self.pending().serving = Some(serving);
        self.filled.notify_one();
    }

    /// Ends the stream: another one of the same pod has taken its place.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Cancelled when the stream is to end.
    pub fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    /// Waits until there is something, and takes all of it.
    pub async fn take(&self) -> Pending {
        loop {
            let pending = std::mem::take(&mut *self.pending());
            if pending != Pending::default() {
                return pending;
            }
            self.filled.notified().await;
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
