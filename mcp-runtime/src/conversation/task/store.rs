//! The tasks of one server: those that this replica works on, bounded in number, size and time, and, where replicas share
//! a store, those of all.

use super::{
    super::exchange::Going,
    archive::Archive,
    drive::{Follower, Working},
    id::{Holder, Place, TaskId},
    record::Record,
    state::{End, State},
    wanted::{NotMade, Wanted},
};
use crate::{
    seal::{self, Keyring},
    store::{Store, StoreError},
};
use mcpfleet_protocol::{answer::Implementation, json::JsonText, mrtr::InputResponses, task::detailed};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

/// Most tasks of one server in one replica, ended ones among them.
pub(super) const MAX_TASKS: usize = 1024;
/// Most of one caller.
pub(super) const MAX_OF_CALLER: usize = MAX_TASKS / 2;
/// Most bytes of results that are kept before no more tasks are made. Calls that are tasks by then add theirs; how many
/// can be, admission bounds.
const MAX_KEPT: usize = 64 * 1024 * 1024;
/// How long the ends of tasks may take to be written when the process stops.
const STOPPING: Duration = Duration::from_secs(3);
/// Most requests that wait for a task to end.
const MAX_WAITING: usize = 1024;

/// The tasks of one server.
#[derive(Debug)]
pub struct Tasks {
    keys: Arc<Keyring>,
    /// `ip:port` where peers reach this replica; empty when they cannot.
    own_address: String,
    pub(super) server: Implementation,
    archive: Archive,
    all: Mutex<HashMap<[u8; 16], Held>>,
    /// Places for requests that wait.
    pub(super) waiting: Semaphore,
    stopping: CancellationToken,
    working: TaskTracker,
}

/// One task in this replica's memory.
#[derive(Debug)]
struct Held {
    /// Whose it is.
    partition: [u8; 16],
    /// Absent as long as it is not made.
    made: Option<Made>,
}

#[derive(Debug)]
struct Made {
    record: Arc<Record>,
    cancelled: CancellationToken,
    /// Ends with this.
    _work: AbortOnDropHandle<()>,
}

impl Tasks {
    /// No tasks yet. `server` is `namespace/name` and version.
    pub fn new(
        keys: Arc<Keyring>,
        own_address: String,
        server: Implementation,
        store: Arc<Store>,
    ) -> Arc<Self> {
        Arc::new(Self {
            keys,
            own_address,
            server,
            archive: Archive::new(store),
            all: Mutex::default(),
            waiting: Semaphore::new(MAX_WAITING),
            stopping: CancellationToken::new(),
            working: TaskTracker::new(),
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// How many are worked on.
    pub fn working(&self) -> usize {
        self.working.len()
    }

    /// How many have ended in this process alone and are likely to be asked for by way of another replica.
    pub fn awaited(&self) -> usize {
        if self.archive.is_shared() || self.own_address.is_empty() {
            return 0;
        }
        let all = self.lock();
        all.values().filter(|held| held.made.as_ref().is_some_and(|made| made.record.is_awaited())).count()
    }

    /// The process ends: what is worked on still has failed. When this returns, every replica knows it, if they share a
    /// store that serves.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.working.close();
        if timeout(STOPPING, self.working.wait()).await.is_err() {
            tracing::warn!(
                server = self.server.name,
                "the ends of tasks could not be kept; they will be found lost"
            );
        }
    }

    /// Whether an id speaks of this replica.
    pub(super) fn is_here(&self, owner: &str) -> bool {
        owner == self.own_address
    }

    /// Makes a task of a call. When this returns, the task is wherever it is asked for; where replicas share a store, it is
    /// there too.
    ///
    /// # Errors
    /// The call itself, as it came, and why.
    pub(super) async fn make(
        self: &Arc<Self>,
        going: Going,
        wanted: &Wanted,
    ) -> Result<([u8; 16], Arc<Record>), (Going, NotMade)> {
        let Some((key, id)) = self.name(wanted) else { return Err((going, NotMade::Nameless)) };
        let reserved = match self.reserve(key, wanted.partition) {
            Ok(reserved) => reserved,
            Err(why) => return Err((going, why)),
        };
        let state = State::new(wanted.ttl);
        let archive = self.archive.is_shared().then(|| self.archive.clone());
        if let Some(archive) = &archive
            && let Err(why) = archive.create(key, &state).await
        {
            return Err((going, why.into()));
        }
        let record = Arc::new(Record::new(id, state));
        self.begin(reserved.key, going, (wanted.follower, record.clone(), archive));
        Ok((key, record))
    }

    /// The state of a task; `None` when there is no such task any more.
    ///
    /// # Errors
    /// It is not here, and where it may be cannot be asked.
    pub(super) async fn look(&self, key: [u8; 16], id: &str) -> Result<Option<JsonText>, StoreError> {
        if let Some(record) = self.here(key) {
            return Ok(Some(record.detailed(&self.server)));
        }
        if !self.archive.is_shared() {
            return Ok(None);
        }
        let state = self.archive.find(key).await?;
        Ok(state.map(|state| state.write(id, None, (detailed, &self.server))))
    }

    /// Gives a task what its client has brought; `None` as for [`Tasks::look`].
    ///
    /// # Errors
    /// As for [`Tasks::look`]; and it is worked on by a replica that cannot be reached.
    pub(super) async fn update(
        &self,
        key: [u8; 16],
        responses: &InputResponses<'_>,
    ) -> Result<Option<()>, StoreError> {
        if let Some(record) = self.here(key) {
            record.answer(responses);
            return Ok(Some(()));
        }
        if !self.archive.is_shared() {
            return Ok(None);
        }
        match self.archive.find(key).await? {
            Some(state) if state.end().is_none() => {
                Err(StoreError::Unavailable("the replica that works on the task cannot be reached".into()))
            }
            state => Ok(state.map(drop)),
        }
    }

    /// Gives a task up; `None` as for [`Tasks::look`]. What has ended stays as it is.
    ///
    /// # Errors
    /// As for [`Tasks::look`].
    pub(super) async fn cancel(&self, key: [u8; 16]) -> Result<Option<()>, StoreError> {
        if self.cancel_here(key) {
            return Ok(Some(()));
        }
        if !self.archive.is_shared() {
            return Ok(None);
        }
        // Whoever works on it reads this by the next beat.
        Ok(self.archive.end(key, &End::Cancelled).await?.map(drop))
    }

    /// Gives a task up if this replica works on it.
    pub(super) fn cancel_here(&self, key: [u8; 16]) -> bool {
        let all = self.lock();
        let Some(made) = all.get(&key).and_then(|held| held.made.as_ref()) else { return false };
        made.record.finish(End::Cancelled);
        made.cancelled.cancel();
        true
    }

    /// A task that this replica works on, or has worked on.
    pub(super) fn here(&self, key: [u8; 16]) -> Option<Arc<Record>> {
        self.lock().get(&key)?.made.as_ref().map(|made| made.record.clone())
    }

    fn name(&self, wanted: &Wanted) -> Option<([u8; 16], String)> {
        let key = seal::name().ok()?;
        let place = Place::Replica { key, owner: self.own_address.clone() };
        let holder = Holder { server: &self.server.name, partition: wanted.partition };
        let id = TaskId { tool: wanted.tool.clone(), place }.seal(&self.keys, holder).ok()?;
        Some((key, id))
    }

    fn reserve(self: &Arc<Self>, key: [u8; 16], partition: [u8; 16]) -> Result<Reserved, NotMade> {
        let mut all = self.lock();
        let of_caller = all.values().filter(|held| held.partition == partition).count();
        let kept: usize = all.values().filter_map(|held| Some(held.made.as_ref()?.record.size())).sum();
        if all.len() >= MAX_TASKS || of_caller >= MAX_OF_CALLER || kept >= MAX_KEPT {
            return Err(NotMade::NoRoom);
        }
        all.insert(key, Held { partition, made: None });
        Ok(Reserved { tasks: self.clone(), key })
    }

    fn begin(
        self: &Arc<Self>,
        key: [u8; 16],
        going: Going,
        (follower, record, archive): (Follower, Arc<Record>, Option<Archive>),
    ) {
        // The task's own time bounds it from now on.
        going.deadline.lift();
        let left = record.state().left();
        let cancelled = CancellationToken::new();
        let work = Working {
            key,
            record: record.clone(),
            follower,
            cancelled: cancelled.clone(),
            stopping: self.stopping.clone(),
            archive,
        };
        let work = AbortOnDropHandle::new(self.working.spawn(work.run(going)));
        if let Some(held) = self.lock().get_mut(&key) {
            held.made = Some(Made { record, cancelled, _work: work });
        }
        tokio::spawn(forget(Arc::downgrade(self), key, left));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 16], Held>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the tasks, given back when nothing came of it.
struct Reserved {
    tasks: Arc<Tasks>,
    key: [u8; 16],
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut all = self.tasks.lock();
        if all.get(&self.key).is_some_and(|held| held.made.is_none()) {
            all.remove(&self.key);
        }
    }
}

async fn forget(tasks: std::sync::Weak<Tasks>, key: [u8; 16], left: Duration) {
    sleep(left).await;
    if let Some(tasks) = tasks.upgrade() {
        let gone = tasks.lock().remove(&key);
        drop(gone);
    }
}
