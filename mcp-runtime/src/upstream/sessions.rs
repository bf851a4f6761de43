//! The sessions of a legacy upstream, one for whoever must not share one.
//!
//! | client | session |
//! |---|---|
//! | legacy | one of its own, from its first call to its end: what the upstream keeps for a client, it keeps for this one |
//! | modern, with capabilities or a log level | one of a pool for its principal and capabilities, for one call at a time: whatever the upstream asks is asked of that call |
//! | modern, with neither | its principal's plain one, which nothing can be asked of |

use super::connection::{ClientError, Connection, Found, Listens, Plan, Wire, relayed};
use crate::{
    admission::Permit,
    exchange::{Interest, Profile},
};
use mcpfleet_protocol::{ClientCapabilities, server::LogLevel};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OnceCell, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// Most sessions of the pool, in use or idle.
const MAX_POOLED: usize = 64;
/// How long one of the pool is kept unused.
const POOLED_FOR: Duration = Duration::from_mins(5);
/// Most sessions of legacy clients; beyond, those that were not used for longest are ended.
const MAX_KEPT: usize = 1024;
/// How long one of a legacy client is kept unused.
const KEPT_FOR: Duration = Duration::from_mins(30);

/// How long one of a legacy client that is not used is spared where there is room for few.
const SPARED_FOR: Duration = Duration::from_mins(1);

/// A legacy client's session, as its id says.
type ClientSession = [u8; 16];

/// All sessions of one upstream but that which lists.
#[derive(Debug)]
pub(super) struct Sessions {
    plan: Plan,
    found: Found,
    /// For one hello.
    patience: Duration,
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: HashMap<ClientSession, Arc<Kept>>,
    idle: Vec<Pooled>,
    /// Calls that wait for a place in the pool.
    waiting: usize,
}

/// A session that many calls may use at once, opened by the first.
#[derive(Debug)]
pub(super) struct Kept {
    connection: OnceCell<Connection>,
    used: Mutex<Instant>,
}

/// A session of the pool.
#[derive(Debug)]
pub(super) struct Pooled {
    connection: Connection,
    kind: Kind,
    since: Instant,
    _place: OwnedSemaphorePermit,
}

/// What two calls must agree in to use one session after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    partition: [u8; 16],
    declared: ClientCapabilities,
    level: Option<LogLevel>,
}

/// A session for the length of a call.
#[derive(Debug)]
pub(super) enum Lease {
    Kept(Arc<Kept>),
    Pooled(Box<Pooled>),
}

impl Default for Kept {
    fn default() -> Self {
        Self { connection: OnceCell::new(), used: Mutex::new(Instant::now()) }
    }
}

impl Kept {
    fn used(&self) -> MutexGuard<'_, Instant> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// The connection; there is always one by the time a lease is given.
    pub(super) fn connection(&self) -> Option<&Connection> {
        match self {
            Self::Kept(kept) => kept.connection.get(),
            Self::Pooled(pooled) => Some(&pooled.connection),
        }
    }
}

impl State {
    /// Of the sessions of legacy clients that nobody uses the one that was used first, if that was so long ago.
    fn oldest_unused(&self, spared: Duration) -> Option<ClientSession> {
        let unused = self.kept.iter().filter(|(_, kept)| Arc::strong_count(kept) == 1);
        let used = unused.map(|(session, kept)| (*session, *kept.used()));
        used.filter(|(_, used)| used.elapsed() >= spared).min_by_key(|(_, used)| *used).map(|(it, _)| it)
    }
}

impl Sessions {
    /// `plan` is that of the connection that lists, which has found out how the upstream is spoken to.
    pub(super) fn new(plan: Plan, found: Found, patience: Duration) -> Self {
        let places = Arc::new(Semaphore::new(MAX_POOLED));
        Self { plan, found, patience, places, state: Mutex::default() }
    }

    pub(super) const fn found(&self) -> Found {
        self.found
    }

    /// A session for a call of such a client. `permit` is told while the call waits for one.
    pub(super) async fn lease(
        &self,
        profile: &Profile,
        permit: Option<&Permit>,
    ) -> Result<Lease, ClientError> {
        let declared = relayed(&profile.capabilities);
        let silent = declared == ClientCapabilities::default() && profile.log_level.is_none();
        // The one stream of a client's own process is the client's, so that it need not be silent.
        let alone = self.found.wire == Wire::Stdio && profile.session.is_some();
        let listens = if silent && !alone { Listens::Never } else { Listens::Always };
        if let Some(session) = profile.session {
            let kept = self.kept(session);
            return self.opened(kept, (profile, declared), listens, permit).await;
        }
        // On the one stream a slow reader of progress would hold up everyone.
        let floods = self.found.wire == Wire::HttpSse && profile.progress == Interest::Wanted;
        if listens == Listens::Never && !floods {
            // A principal has one that nothing can be asked of; no client's session has its fingerprint for a name.
            let plain = self.kept(profile.partition);
            return self.opened(plain, (profile, declared), listens, permit).await;
        }
        let kind = Kind { partition: profile.partition, declared, level: profile.log_level };
        self.pooled(profile, kind, permit).await.map(|pooled| Lease::Pooled(Box::new(pooled)))
    }

    /// Takes a session back after a call that has ended by itself. One whose call was given up is not given back: what
    /// the upstream still says about it must not reach another.
    pub(super) fn give_back(&self, lease: Lease) {
        match lease {
            Lease::Kept(kept) => *kept.used() = Instant::now(),
            Lease::Pooled(mut pooled) => {
                pooled.since = Instant::now();
                let mut state = self.lock();
                if state.waiting == 0 {
                    state.idle.push(*pooled);
                }
            }
        }
    }

    /// Ends the session of a legacy client that has ended its own.
    pub(super) fn forget(&self, session: ClientSession) {
        let gone = self.lock().kept.remove(&session);
        drop(gone);
    }

    /// Hands on that the roots of a legacy client have changed.
    pub(super) fn roots_changed(&self, session: ClientSession) {
        let kept = self.lock().kept.get(&session).cloned();
        if let Some(connection) = kept.as_ref().and_then(|kept| kept.connection.get()) {
            connection.roots_changed();
        }
    }

    /// Ends what was not used for long.
    pub(super) fn sweep(&self, now: Instant) {
        let mut state = self.lock();
        let old: Vec<Pooled> =
            state.idle.extract_if(.., |pooled| now.duration_since(pooled.since) >= POOLED_FOR).collect();
        let is_old = |kept: &Arc<Kept>| {
            Arc::strong_count(kept) == 1 && now.saturating_duration_since(*kept.used()) >= KEPT_FOR
        };
        state.kept.retain(|_, kept| !is_old(kept));
        drop(state);
        drop(old);
    }

    fn kept(&self, session: ClientSession) -> Arc<Kept> {
        let mut state = self.lock();
        if !state.kept.contains_key(&session) && state.kept.len() >= MAX_KEPT {
            let oldest = state.oldest_unused(Duration::ZERO);
            oldest.map(|oldest| state.kept.remove(&oldest));
        }
        state.kept.entry(session).or_default().clone()
    }

    async fn opened(
        &self,
        kept: Arc<Kept>,
        (profile, declared): (&Profile, ClientCapabilities),
        listens: Listens,
        permit: Option<&Permit>,
    ) -> Result<Lease, ClientError> {
        *kept.used() = Instant::now();
        if !kept.connection.initialized() {
            let _blocked = permit.map(Permit::blocked);
            kept.connection.get_or_try_init(|| self.open(profile, declared, listens)).await?;
        }
        Ok(Lease::Kept(kept))
    }

    async fn pooled(
        &self,
        profile: &Profile,
        kind: Kind,
        permit: Option<&Permit>,
    ) -> Result<Pooled, ClientError> {
        if let Some(idle) = self.take_idle(&kind) {
            return Ok(idle);
        }
        let _blocked = permit.map(Permit::blocked);
        let place = self.place().await?;
        let connection = self.open(profile, kind.declared.clone(), Listens::Always).await?;
        Ok(Pooled { connection, kind, since: Instant::now(), _place: place })
    }

    fn take_idle(&self, kind: &Kind) -> Option<Pooled> {
        let mut state = self.lock();
        // The one used last: the others may grow old.
        let at = state.idle.iter().rposition(|pooled| pooled.kind == *kind)?;
        Some(state.idle.remove(at))
    }

    /// A place in the pool, if need be that of an idle session.
    async fn place(&self) -> Result<OwnedSemaphorePermit, ClientError> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let evicted = {
            let mut state = self.lock();
            state.waiting += 1;
            (!state.idle.is_empty()).then(|| state.idle.remove(0))
        };
        let _waiting = Waiting(self);
        drop(evicted);
        // It is never closed.
        self.places.clone().acquire_owned().await.map_err(|_| ClientError::NoAnswer)
    }

    /// Ends a session that is not used, where one more needs it.
    fn make_room(&self) {
        if self.plan.target.has_room() {
            return;
        }
        let mut state = self.lock();
        let idle = (!state.idle.is_empty()).then(|| state.idle.remove(0));
        let oldest = idle.is_none().then(|| state.oldest_unused(SPARED_FOR)).flatten();
        let kept = oldest.and_then(|oldest| state.kept.remove(&oldest));
        drop(state);
        drop((idle, kept));
    }

    async fn open(
        &self,
        profile: &Profile,
        declared: ClientCapabilities,
        listens: Listens,
    ) -> Result<Connection, ClientError> {
        self.make_room();
        let target = self.plan.target.acting_for(Some(&profile.principal));
        let standing = profile.standing.clone();
        let plan = Plan { target, declared, listens, standing, ..self.plan.clone() };
        let opening = Connection::planned(plan, Some(self.found));
        timeout(self.patience, opening).await.unwrap_or(Err(ClientError::Timeout(self.patience)))
    }

    /// Nothing that runs under the lock leaves it half written.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waiting<'a>(&'a Sessions);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}
