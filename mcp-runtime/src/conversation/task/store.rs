//! The tasks that one replica of a server keeps: in memory, bounded in number, size and time.

use super::{
    super::{
        Answered,
        exchange::{Going, Origin},
    },
    drive::drive,
    id::{Holder, Place, TaskId},
    record::{LIFETIME, Record},
};
use crate::seal::{self, Keyring};
use mcpfleet_protocol::{answer::Implementation, json::JsonText, mrtr::InputResponses};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// Most tasks of one server in one replica, ended ones among them.
pub(super) const MAX_TASKS: usize = 1024;
/// Most bytes of results that are kept before no more tasks are made. Calls that are tasks by then add theirs; how many
/// can be, admission bounds.
const MAX_KEPT: usize = 64 * 1024 * 1024;

/// The tasks of one server.
#[derive(Debug)]
pub struct Tasks {
    keys: Arc<Keyring>,
    /// `ip:port` where peers reach this replica; empty when they cannot.
    own_address: String,
    server: Implementation,
    all: Mutex<HashMap<[u8; 16], Held>>,
}

#[derive(Debug)]
struct Held {
    record: Arc<Record>,
    /// Ends with this.
    work: AbortOnDropHandle<()>,
}

impl Tasks {
    /// No tasks yet. `server` is `namespace/name` and version.
    pub fn new(keys: Arc<Keyring>, own_address: String, server: Implementation) -> Arc<Self> {
        Arc::new(Self { keys, own_address, server, all: Mutex::default() })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// How many work still.
    pub fn working(&self) -> usize {
        self.lock().values().filter(|held| !held.work.is_finished()).count()
    }

    /// Gives up those that work still: this process ends.
    pub fn end(&self) {
        self.lock().values().for_each(|held| held.work.abort());
    }

    /// Whether an id speaks of this replica.
    pub(super) fn is_here(&self, owner: &str) -> bool {
        owner == self.own_address
    }

    /// Makes a task of a call under way, and gives the answer that says so. The task is there before its id is.
    ///
    /// # Errors
    /// The call itself, when there is no room: nobody has promised the client a task, so it just goes on.
    pub(in crate::conversation) fn make(
        self: &Arc<Self>,
        going: Going,
        origin: &Origin,
        tool: &str,
    ) -> Result<Answered, Going> {
        let holder = Holder { server: &self.server.name, partition: origin.client.principal.fingerprint() };
        let Some((key, id)) = self.name(tool, holder) else { return Err(going) };
        let mut all = self.lock();
        if all.len() >= MAX_TASKS || all.values().map(|held| held.record.size()).sum::<usize>() >= MAX_KEPT {
            return Err(going);
        }
        // The task's own lifetime bounds it from now on.
        going.deadline.lift();
        let record = Arc::new(Record::new(id));
        let created = record.created(&self.server);
        let work = AbortOnDropHandle::new(tokio::spawn(drive(going, record.clone())));
        all.insert(key, Held { record, work });
        drop(all);
        self.forget_later(key);
        Ok(Answered::success(&origin.id, &created))
    }

    /// The state of a task; `None` when there is no such task any more.
    pub(super) fn get(&self, key: &[u8; 16]) -> Option<JsonText> {
        self.find(key).map(|record| record.detailed(&self.server))
    }

    /// Gives a task what its client has brought; `None` as for [`Tasks::get`].
    pub(super) fn update(&self, key: &[u8; 16], responses: &InputResponses<'_>) -> Option<()> {
        self.find(key).map(|record| record.answer(responses))
    }

    /// Gives a task up; `None` as for [`Tasks::get`]. What has ended stays as it is.
    pub(super) fn cancel(&self, key: &[u8; 16]) -> Option<()> {
        let all = self.lock();
        let held = all.get(key)?;
        held.record.cancel();
        held.work.abort();
        Some(())
    }

    fn find(&self, key: &[u8; 16]) -> Option<Arc<Record>> {
        self.lock().get(key).map(|held| held.record.clone())
    }

    fn name(&self, tool: &str, holder: Holder<'_>) -> Option<([u8; 16], String)> {
        let key = seal::name().ok()?;
        let place = Place::Replica { key, owner: self.own_address.clone() };
        let id = TaskId { tool: tool.to_owned(), place }.seal(&self.keys, holder).ok()?;
        Some((key, id))
    }

    fn forget_later(self: &Arc<Self>, key: [u8; 16]) {
        let here = Arc::downgrade(self);
        tokio::spawn(async move {
            sleep(LIFETIME).await;
            if let Some(here) = here.upgrade() {
                let gone = here.lock().remove(&key);
                drop(gone);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 16], Held>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
