//! The connection to the running runtimes, level-triggered: who is connected, what each serves, what each has to do.
//! See docs/fleet-stream.md.
//!
//! ```text
//! reconcile -- desired --> Fleet (a Group per server: rollout decides) -- outboxes --> session --> pod
//!     ^                      |                                                            |
//!     +---- queues <-- news--+<---------------- reports ----------------------------------+
//! ```

pub mod config;
pub mod gate;
pub mod group;
pub mod listener;
mod member;
pub mod outbox;
pub mod rollout;
mod session;
pub mod summary;
pub mod upstream;

pub mod review;

pub use config::{Config, decompress};
pub use gate::{Gate, Term};
pub use group::News;
pub use listener::Listener;
pub use summary::Summary;
pub use upstream::UpstreamWord;

use crate::{
    context::Context,
    world::{Endpoint, Key},
};
use group::Group;
use mcpfleet_config::{
    Encoded,
    status::PodStatus,
    stream::{Hello, Report, Serving, Signals},
};
use outbox::Outbox;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long pods are given to dial after a leader has begun.
const SETTLE: Duration = Duration::from_secs(30);

/// Pause between two looks at what time alone changes.
const TICK: Duration = Duration::from_secs(1);

/// Lets words expire and offers become overdue, as long as it is not dropped.
pub async fn keep_time(context: Arc<Context>) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        for server in context.fleet.tick() {
            gate::touch(&context, &server);
        }
    }
}

/// What one pod said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who.
    pub endpoint: Endpoint,
    /// What it said last; absent when it is not connected.
    pub status: Option<PodStatus>,
    /// Whether it takes new clients.
    pub serving: Serving,
}

/// Answers of all pods of a server.
pub type Answers = Arc<Vec<Answer>>;

/// The pods of all servers.
#[derive(Debug, Default)]
pub struct Fleet {
    groups: Mutex<HashMap<Key, Group>>,
    /// When pods could first dial.
    opened: OnceLock<Instant>,
    sessions: AtomicU64,
}

impl Fleet {
    /// Pods can dial from now on.
    pub fn opened(&self) {
        self.opened.get_or_init(Instant::now);
    }

    /// The pods of this name belong to the McpServer of this uid.
    pub fn claim(&self, server: &Key, uid: &str) {
        self.with(server, |group, _| group.claim(uid));
    }

    /// What a server's objects compile to now.
    pub fn desire(&self, server: &Key, wanted: &Arc<Encoded>) {
        self.with(server, |group, now| group.desire(wanted, now));
    }

    /// Whether a change has just been sent out, and its answers are on their way.
    pub fn is_fresh(&self, server: &Key) -> bool {
        self.groups().get(server).is_some_and(|group| group.is_fresh(Instant::now()))
    }

    /// What a server's ConfigMap holds, after a start.
    pub fn recall(&self, server: &Key, stored: Config) {
        self.with(server, |group, _| group.recall(stored));
    }

    /// What new pods of a server are to start with.
    pub fn accepted(&self, server: &Key) -> Option<Config> {
        self.groups().get(server)?.accepted().cloned()
    }

    /// What a server's pods have said last. `None` while it is too early to tell: this replica has begun to lead
    /// and not all have dialled.
    pub fn answers(&self, server: &Key, endpoints: &[Endpoint]) -> Option<Answers> {
        let settling = self.opened.get().is_none_or(|opened| opened.elapsed() < SETTLE);
        self.with(server, |group, now| {
            group.expect(endpoints, settling, now);
            (!group.is_awaiting()).then(|| Arc::new(group.answers(endpoints)))
        })
    }

    /// The load of a server's connected pods; absent for one that has not reported.
    pub fn signals(&self, server: &Key, endpoints: &[Endpoint]) -> Vec<(Endpoint, Option<Signals>)> {
        let groups = self.groups();
        let group = groups.get(server);
        let signals = |endpoint: &Endpoint| group.and_then(|group| group.signals(&endpoint.uid));
        endpoints.iter().map(|endpoint| (endpoint.clone(), signals(endpoint))).collect()
    }

    /// Tells a pod what to be.
    pub fn serve(&self, server: &Key, uid: &str, serving: Serving) {
        if let Some(group) = self.groups().get_mut(server) {
            group.serve(uid, serving);
        }
    }

    /// Tells every pod of a server that drains to serve again.
    pub fn serve_all(&self, server: &Key) {
        if let Some(group) = self.groups().get_mut(server) {
            group.serve_all();
        }
    }

    /// Forgets a server that is gone.
    pub fn forget(&self, server: &Key) {
        self.groups().remove(server);
    }

    /// Time passes. Returns the servers about which there is news.
    pub fn tick(&self) -> Vec<Key> {
        let now = Instant::now();
        let mut groups = self.groups();
        let news = groups.iter_mut().filter_map(|(key, group)| match group.tick(now) {
            News::Yes => Some(key.clone()),
            News::No => None,
        });
        news.collect()
    }

    /// A pod has dialled. Returns the number of its stream.
    fn join(&self, server: &Key, uid: &str, pod: &str, hello: &Hello, outbox: &Arc<Outbox>) -> u64 {
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        self.with(server, |group, _| group.join(uid, pod, hello, session, outbox));
        session
    }

    /// `None`: nobody is interested in this stream any more.
    fn hear(&self, server: &Key, uid: &str, session: u64, report: Report) -> Option<News> {
        self.groups().get_mut(server)?.hear(uid, session, report, Instant::now())
    }

    fn leave(&self, server: &Key, uid: &str, session: u64) -> News {
        let mut groups = self.groups();
        groups.get_mut(server).map_or(News::No, |group| group.leave(uid, session, Instant::now()))
    }

    fn with<T>(&self, server: &Key, work: impl FnOnce(&mut Group, Instant) -> T) -> T {
        let mut groups = self.groups();
        let group = match groups.get_mut(server) {
            Some(group) => group,
            None => groups.entry(server.clone()).or_default(),
        };
        work(group, Instant::now())
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<Key, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
