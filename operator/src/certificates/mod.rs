//! The certificates of the fleet's port: by them runtimes know that it is the operator whom they have dialled.
//!
//! A certificate authority of our own lives in one Secret ([`store`]), made and replaced in time by the leader
//! ([`rotation`], pure). Each replica reads it and signs a certificate for itself, which stays in its memory
//! ([`serving`]). What comes out: settings for the listener, and the bundle of certificates that runtimes trust.

mod authority;
pub mod rotation;
mod serving;
mod store;

#[cfg(test)]
mod tests;

pub use authority::{Anchor, Ca, Damage};
pub use store::SECRET;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use rotation::Authority;
use rustls::ServerConfig;
use serving::Serving;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// Pause between two looks at the Secret once all is well.
const REST: Duration = Duration::from_mins(10);
/// Pause of a follower while it has nothing to serve with.
const WAIT: Duration = Duration::from_secs(10);
/// Longest pause of a leader after an error; the first is a second.
const MAX_RETRY: Duration = Duration::from_mins(1);

/// What this replica does about the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Makes it, and renews what is in it.
    Leader,
    /// Reads it.
    Follower,
}

/// Why there is no certificate, or no newer one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server could not be asked, or refuses.
    #[error("Secret {SECRET} cannot be read or written: {0}")]
    Api(#[from] kube::Error),
    /// The Secret holds something else than an authority of ours.
    #[error("Secret {SECRET} cannot be used: {0}")]
    Damaged(#[from] Damage),
    /// A key or a certificate could not be made.
    #[error("a certificate cannot be made: {0}")]
    Sign(#[from] rcgen::Error),
    /// A certificate was made that cannot be served.
    #[error("a certificate cannot be served: {0}")]
    Tls(#[from] rustls::Error),
}

/// What this replica serves with, whichever is current.
pub struct Certificates {
    names: Vec<String>,
    present: Mutex<Option<Present>>,
    changes: watch::Sender<u64>,
}

/// What follows from the Secret as it was read last.
struct Present {
    authority: Authority,
    bundle: Arc<str>,
    serving: Serving,
}

impl Certificates {
    /// Nothing yet; certificates will be made out to `names`, the DNS names of the operator's Service.
    pub fn new(names: Vec<String>) -> Arc<Self> {
        Arc::new(Self { names, present: Mutex::default(), changes: watch::Sender::new(0) })
    }

    /// For one connection: TLS 1.3 and HTTP/2. `None` until the Secret was read once.
    pub fn server_config(&self) -> Option<Arc<ServerConfig>> {
        self.present().as_ref().map(|present| present.serving.config.clone())
    }

    /// What runtimes trust, as PEM. `None` until the Secret was read once.
    pub fn bundle(&self) -> Option<Arc<str>> {
        self.present().as_ref().map(|present| present.bundle.clone())
    }

    /// Moves when the bundle changes.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Takes what the Secret holds, and signs anew when the key has changed or the certificate is worn.
    ///
    /// # Errors
    /// It cannot sign.
    pub fn adopt(&self, authority: Authority, now: Timestamp) -> Result<(), Error> {
        let mut slot = self.present();
        let fitting = slot.as_ref().map(|present| &present.serving);
        let serving = match fitting.filter(|serving| serving.fits(&authority.current, now)) {
            Some(serving) => serving.clone(),
            None => Serving::sign(&authority.current, &self.names, now)?,
        };
        let bundle: Arc<str> = authority.bundle().into();
        let news = slot.as_ref().is_none_or(|present| present.bundle != bundle);
        *slot = Some(Present { authority, bundle, serving });
        drop(slot);
        if news {
            self.changes.send_modify(|changes| *changes += 1);
        }
        Ok(())
    }

    /// Signs anew when the certificate is worn, by what was read last: the API server may be away for long.
    fn renew(&self, now: Timestamp) -> Result<(), Error> {
        let known = self.present().as_ref().map(|present| present.authority.clone());
        known.map_or(Ok(()), |authority| self.adopt(authority, now))
    }

    fn present(&self) -> MutexGuard<'_, Option<Present>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the keys.
impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Keeps `certificates` as the Secret in `namespace` says, until dropped.
pub async fn keep(client: Client, namespace: String, certificates: Arc<Certificates>, part: Part) {
    let secrets: Api<Secret> = Api::namespaced(client, &namespace);
    let mut retry = Duration::from_secs(1);
    loop {
        let now = Timestamp::now();
        let outcome = match part {
            Part::Leader => store::tend(&secrets, &certificates, now).await,
            Part::Follower => store::follow(&secrets, &certificates, now).await,
        };
        if let Err(error) = &outcome {
            tracing::warn!(%error, "the certificate authority is not as it should be; tried again");
            if let Err(error) = certificates.renew(now) {
                tracing::warn!(%error, "the serving certificate cannot be renewed");
            }
        }
        let pause = match (part, outcome) {
            (_, Ok(store::Seen::Whole)) => REST,
            (Part::Leader, _) => retry,
            (Part::Follower, _) => WAIT,
        };
        retry = if pause == REST { Duration::from_secs(1) } else { (retry * 2).min(MAX_RETRY) };
        tokio::time::sleep(pause).await;
    }
}
