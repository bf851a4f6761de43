//! What the running runtimes say of themselves: which configuration they hold, what they miss.
//!
//! The operator asks each pod's admin port (`GET /status`, which changes nothing) every few seconds, only
//! while it leads. It has no right to read Secrets, so whether one is missing only a runtime can tell.

mod poll;
mod summary;

pub use poll::poll;
pub use summary::Summary;

use crate::world::{Endpoint, Key};
use mcpfleet_config::status::PodStatus;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Questions in a row that a pod may leave unanswered before its last answer is dropped: one packet that is
/// lost must not make a server unready.
const MAX_MISSES: u8 = 3;
/// How long a runtime may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What one pod said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who was asked.
    pub endpoint: Endpoint,
    /// What it said; absent when it did not answer.
    pub status: Option<PodStatus>,
}

/// Answers of all pods of a server.
pub type Answers = Arc<Vec<Answer>>;

/// The answers, by server.
#[derive(Debug)]
pub struct Fleet {
    http: reqwest::Client,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    answers: HashMap<Key, Answers>,
    /// Servers that are not what they should be yet.
    close: HashSet<Key>,
    /// Questions in a row that a pod has left unanswered.
    misses: HashMap<(Key, String), u8>,
}

impl Fleet {
    /// Nothing asked yet.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub fn new() -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // Plain HTTP only. The image has no roots, without which the platform's verifier cannot be set up.
            .tls_certs_only([])
            // Pods are asked directly, and believed for what they say themselves.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self { http, state: Mutex::default() })
    }

    /// What a server's pods said last; `None` before they were asked.
    pub fn answers(&self, server: &Key) -> Option<Answers> {
        self.state().answers.get(server).cloned()
    }

    /// Asks more often while something is pending.
    pub fn watch_closely(&self, server: &Key, closely: bool) {
        let mut state = self.state();
        if closely {
            state.close.insert(server.clone());
        } else {
            state.close.remove(server);
        }
    }

    /// Forgets a server that is gone.
    pub fn forget(&self, server: &Key) {
        let mut state = self.state();
        state.answers.remove(server);
        state.close.remove(server);
        state.misses.retain(|(of, _), _| of != server);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
