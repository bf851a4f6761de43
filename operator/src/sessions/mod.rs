//! The keys that replicas of one server share, so that each of them can open what another has sealed.
//!
//! A master key an epoch lives in one Secret of the operator's namespace ([`store`]), made and replaced in time by the
//! leader ([`rotation`], pure). From it, and a server's uid, follow the keys of that server: they are sent over the fleet
//! stream, stored nowhere, and no server can compute those of another.

pub mod rotation;
mod store;

#[cfg(test)]
mod tests;

pub use rotation::Master;
pub use store::SECRET;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use mcpfleet_config::stream::SessionKey;
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Pause between two looks at the Secret once all is well.
const REST: Duration = Duration::from_mins(10);
/// Longest pause after an error; the first is a second.
const MAX_RETRY: Duration = Duration::from_mins(1);

/// Why there are no keys, or no newer ones.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server could not be asked, or refuses.
    #[error("Secret {SECRET} cannot be read or written: {0}")]
    Api(#[from] kube::Error),
    /// The crypto library failed.
    #[error("the cryptographic library failed to make a session key")]
    Library,
}

/// The master keys, whichever are current.
pub struct SessionKeys {
    /// The sealing one first.
    masters: watch::Sender<Arc<[Master]>>,
}

impl SessionKeys {
    /// None yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { masters: watch::Sender::new(Arc::new([])) })
    }

    /// Takes what the Secret holds, oldest first.
    pub fn adopt(&self, masters: &[Master], now: Timestamp) {
        let ordered: Arc<[Master]> = rotation::ordered(masters, now).into();
        self.masters.send_if_modified(|present| {
            let news = *present != ordered;
            *present = ordered;
            news
        });
    }

    /// Keys of the server with this uid, the sealing one first. Empty until the Secret was read once.
    ///
    /// # Errors
    /// The crypto library failed.
    pub fn of(&self, uid: &str) -> Result<Vec<SessionKey>, Error> {
        self.masters.borrow().iter().map(|master| master.key_of(uid)).collect()
    }

    /// Moves when the keys change.
    pub fn changed(&self) -> watch::Receiver<Arc<[Master]>> {
        self.masters.subscribe()
    }

    /// By what was read last: the API server may be away for long, and the next epoch is to seal in time.
    fn renew(&self, now: Timestamp) {
        let mut known = self.masters.borrow().to_vec();
        known.sort_by_key(|master| master.epoch);
        self.adopt(&known, now);
    }
}

/// Without the keys.
impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKeys").field("masters", &*self.masters.borrow()).finish()
    }
}

/// Keeps the Secret in `namespace` as it should be, and `keys` as it says, until dropped. For the leader only.
pub async fn keep(client: Client, namespace: String, keys: Arc<SessionKeys>) {
    let secrets: Api<Secret> = Api::namespaced(client, &namespace);
    let mut retry = Duration::from_secs(1);
    loop {
        let now = Timestamp::now();
        let outcome = store::tend(&secrets, &keys, now).await;
        let pause = match outcome {
            Ok(()) => REST,
            Err(error) => {
                tracing::warn!(%error, "the session keys are not as they should be; tried again");
                keys.renew(now);
                retry
            }
        };
        retry = if pause == REST { Duration::from_secs(1) } else { (retry * 2).min(MAX_RETRY) };
        tokio::time::sleep(pause).await;
    }
}
