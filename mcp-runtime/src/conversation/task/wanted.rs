//! A task that is wanted, and why there may be none.

use super::drive::Follower;
use crate::store::StoreError;
use std::time::Duration;

/// A call that is to be a task.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The tool, by the name that clients use.
    pub(super) tool: String,
    /// Fingerprint of whoever calls.
    pub(super) partition: [u8; 16],
    pub(super) ttl: Duration,
    pub(super) follower: Follower,
}

/// Why there is no task. The work has not been touched.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotMade {
    /// One of the bounds was met.
    #[error("too many tasks are kept already, nothing was begun; try again in {} s", RETRY_WHEN_FULL.as_secs())]
    NoRoom,
    /// It would not outlive this replica, as tasks of this server do.
    #[error("nothing was begun, because tasks cannot be kept just now: {why}; try again in {} s", RETRY_STORE.as_secs())]
    Store {
        /// What the store says.
        #[from]
        why: StoreError,
    },
    /// It cannot be named.
    #[error("nothing was begun: the task cannot be given an id")]
    Nameless,
}

const RETRY_WHEN_FULL: Duration = Duration::from_secs(30);
/// When a store that was gone may be back.
pub(super) const RETRY_STORE: Duration = Duration::from_secs(5);

impl NotMade {
    /// When it is worth trying again.
    pub(super) const fn retry_after(&self) -> Duration {
        match self {
            Self::NoRoom => RETRY_WHEN_FULL,
            Self::Store { .. } | Self::Nameless => RETRY_STORE,
        }
    }
}
