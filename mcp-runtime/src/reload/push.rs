//! Configurations that the operator sends: checked whole, served or refused whole, kept for the next start.

use super::{Reloader, order};
use crate::source::{Declared, kept};
use mcpfleet_config::{ConfigHash, status::Rejected, stream::Announced};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// A configuration as it came.
#[derive(Debug)]
pub struct Push {
    /// What was announced.
    pub announced: Announced,
    /// What followed.
    pub bytes: Vec<u8>,
    /// Told when it is served, or refused.
    pub done: oneshot::Sender<()>,
}

/// What ties a process to its operator.
#[derive(Debug)]
pub struct Link {
    /// What it sends.
    pub pushes: mpsc::Receiver<Push>,
    /// Where it is kept.
    pub state: Option<PathBuf>,
}

impl Link {
    /// The next configuration; waits for ever when none can come. Cancellation safe.
    pub(super) async fn next(link: &mut Option<Self>) -> Push {
        let next = match link {
            Some(link) => link.pushes.recv().await,
            None => None,
        };
        match next {
            Some(push) => push,
            None => std::future::pending().await,
        }
    }
}

impl Reloader {
    /// Serves what was pushed or refuses it, says so, and keeps it.
    pub(super) async fn push(&mut self, push: Push) {
        let Push { announced, bytes, done } = push;
        let bytes = Arc::new(bytes);
        let result = match self.check(&announced, bytes.clone()).await {
            Ok(declared) => self.adopt(declared).await,
            Err(message) => Err(Rejected { hash: announced.hash.clone(), message }),
        };
        let accepted = result.is_ok();
        match result {
            Ok(server) => {
                server.rejected.store(None);
                self.shared.fleet.set_refused(None);
            }
            Err(rejected) => {
                // An older refusal would hide this one.
                if let Some(server) = self.only() {
                    server.rejected.store(None);
                }
                self.refuse(&rejected);
            }
        }
        // Whoever sent it may be gone.
        done.send(()).ok();
        if accepted {
            self.keep(announced, bytes).await;
        }
    }

    async fn check(&self, announced: &Announced, bytes: Arc<Vec<u8>>) -> Result<Declared, String> {
        let (announced, newest) = (announced.clone(), self.around.source.newest());
        let declared = tokio::task::spawn_blocking(move || decode(&announced, &bytes, newest))
            .await
            .map_err(|error| error.to_string())??;
        match self.shared.fleet.all().keys().next() {
            Some(ours) if *ours != declared.config.server.to_string() => {
                Err(format!("it is the configuration of {}, and this is {ours}", declared.config.server))
            }
            _ => Ok(declared),
        }
    }

    async fn keep(&mut self, announced: Announced, bytes: Arc<Vec<u8>>) {
        let Some(dir) = self.link.as_ref().and_then(|link| link.state.clone()) else { return };
        let written = tokio::task::spawn_blocking(move || kept::write(&dir, &announced, &bytes)).await;
        let error = match written.map_err(std::io::Error::other) {
            Ok(Ok(())) => return self.unwritable = false,
            Ok(Err(error)) | Err(error) => error,
        };
        // It serves on; only a restart would begin from the mounted file. Said once.
        if !std::mem::replace(&mut self.unwritable, true) {
            tracing::warn!(%error, "the accepted configuration cannot be kept in the state directory");
        }
    }

    /// Begins with what was kept or with the file, whichever is newer and can be served.
    pub(super) async fn begin(&mut self) {
        let mut kept = self.kept().await;
        let mut file = self.read().await;
        self.tell(&file.problems);
        self.shared.fleet.set_refused(file.damaged.take());
        let mut file = file.servers.pop();
        let revision = |declared: &Option<Declared>| declared.as_ref().map(|declared| declared.revision);
        for origin in order::at_start(revision(&kept), revision(&file)) {
            let declared = match origin {
                order::Origin::Kept => kept.take(),
                order::Origin::File => file.take(),
            };
            let Some(declared) = declared else { continue };
            let revision = declared.revision;
            match self.adopt(declared).await {
                Ok(_) => {
                    if origin == order::Origin::File {
                        self.shared.fleet.set_refused(None);
                    }
                    return tracing::info!(from = origin.label(), revision, "beginning");
                }
                Err(rejected) => self.refuse(&rejected),
            }
        }
    }

    async fn kept(&self) -> Option<Declared> {
        let dir = self.link.as_ref()?.state.clone()?;
        let newest = self.around.source.newest();
        let read = tokio::task::spawn_blocking(move || {
            let Some((announced, bytes)) = kept::read(&dir).map_err(|error| error.to_string())? else {
                return Ok(None);
            };
            Declared::decode(&bytes, announced.revision, newest).map(Some).map_err(|error| error.to_string())
        });
        match read.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(kept) => kept,
            Err(reason) => {
                tracing::warn!(reason, "what was kept in the state directory cannot be served");
                None
            }
        }
    }
}

fn decode(announced: &Announced, bytes: &[u8], newest: u32) -> Result<Declared, String> {
    let hash = ConfigHash::of(bytes);
    if hash != announced.hash {
        return Err(format!("it was damaged on the way: its bytes have the hash {}", hash.short()));
    }
    Declared::decode(bytes, announced.revision, newest).map_err(|error| error.to_string())
}
