//! Where tasks outlive the replica that works on them: the server's store, when replicas share one.
//!
//! ```text
//! task:KEY          the task's state     until the end of its time
//! task:KEY:lease    who works on it      LEASE, renewed every BEAT by whoever works
//! ```
//! A task that is neither ended nor leased has lost its replica: whoever asks next writes that it failed. The state is
//! only ever changed by comparing first, so two replicas cannot end one task in two ways.

use super::state::{End, Lost, State};
use crate::store::{Entry, Family, Key, MAX_VALUE, Store, StoreError, Version, Written};
use std::{fmt::Write as _, sync::Arc, time::Duration};

/// How long a task is believed to be worked on after its replica was last heard.
const LEASE: Duration = Duration::from_secs(20);
/// How often that replica is heard, and looks whether somebody else has ended the task.
pub(super) const BEAT: Duration = Duration::from_secs(5);
/// Longest result or error that is kept, in bytes: with what else is known of a task, it must fit one value of the store.
pub(super) const MAX_RESULT: usize = MAX_VALUE - 16 * 1024;
/// Races that one change may lose before it is given up.
const TRIES: usize = 5;

/// The tasks of one server in its store.
#[derive(Clone, Debug)]
pub(super) struct Archive(Arc<Store>);

impl Archive {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self(store)
    }

    /// Whether other replicas see what is written here.
    pub(super) fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    /// A task begins. When this returns, every replica knows it.
    ///
    /// # Errors
    /// [`StoreError`]; the task must not be promised then.
    pub(super) async fn create(&self, key: [u8; 16], state: &State) -> Result<(), StoreError> {
        self.lease(key).await?;
        self.0.put_new(of(&name(key)), &write(state), state.left()).await.map(drop)
    }

    /// Whoever works on it does so still.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn lease(&self, key: [u8; 16]) -> Result<(), StoreError> {
        self.0.put(of(&lease(key)), b"", LEASE).await
    }

    /// A task of whatever replica; one whose replica is gone has failed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn find(&self, key: [u8; 16]) -> Result<Option<State>, StoreError> {
        let Some((state, _)) = self.read(key).await? else { return Ok(None) };
        if state.end().is_some() || self.0.get(of(&lease(key))).await?.is_some() {
            return Ok(Some(state));
        }
        self.end(key, &Lost::Replica.into()).await
    }

    /// Ends a task, unless it has ended; what stands afterwards. `None` when there is no such task.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn end(&self, key: [u8; 16], end: &End) -> Result<Option<State>, StoreError> {
        for _ in 0..TRIES {
            let Some((mut state, version)) = self.read(key).await? else { return Ok(None) };
            if state.end().is_some() {
                return Ok(Some(state));
            }
            state.finish(end.clone());
            let written = self.0.swap(of(&name(key)), &version, &write(&state), state.left()).await?;
            if written == Written::Yes {
                return Ok(Some(state));
            }
        }
        Err(StoreError::Unavailable("others change the same task all the time".into()))
    }

    /// Writes what the one who works on a task knows of it; what stands afterwards. A store that has forgotten it, such as
    /// one that was restarted, learns it again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn keep(&self, key: [u8; 16], known: &State) -> Result<State, StoreError> {
        for _ in 0..TRIES {
            let (name, value) = (name(key), write(known));
            let written = match self.read(key).await? {
                Some((kept, _)) if kept.end().is_some() => return Ok(kept),
                Some((kept, _)) if known.end().is_none() && !kept.is_older_than(known) => return Ok(kept),
                Some((_, version)) => self.0.swap(of(&name), &version, &value, known.left()).await?,
                None => self.0.put_new(of(&name), &value, known.left()).await?,
            };
            if written == Written::Yes {
                return Ok(known.clone());
            }
        }
        Err(StoreError::Unavailable("others change the same task all the time".into()))
    }

    async fn read(&self, key: [u8; 16]) -> Result<Option<(State, Version)>, StoreError> {
        let Some(Entry { value, version }) = self.0.get(of(&name(key))).await? else { return Ok(None) };
        match serde_json::from_slice(&value) {
            Ok(state) => Ok(Some((state, version))),
            // Another version of this program wrote it.
            Err(_) => Err(StoreError::Foreign),
        }
    }
}

fn of(name: &str) -> Key<'_> {
    Key { family: Family::Task, name }
}

fn name(key: [u8; 16]) -> String {
    key.iter().fold(String::with_capacity(38), |mut name, byte| {
        // Writing to a String has no failing case.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

fn lease(key: [u8; 16]) -> String {
    format!("{}:lease", name(key))
}

/// A state can always be written: it has no map whose keys are no strings.
fn write(state: &State) -> Vec<u8> {
    serde_json::to_vec(state).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Keyring;
    use serde_json::{json, value::to_raw_value};

    const KEY: [u8; 16] = [7; 16];

    fn archive() -> Archive {
        Archive::new(Store::in_memory(Keyring::random().unwrap(), "agents/support"))
    }

    fn task() -> State {
        State::new(Duration::from_hours(1))
    }

    fn done() -> End {
        End::Completed(to_raw_value(&json!({"content": []})).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_whose_replica_is_not_heard_any_more_has_failed_for_good() {
        let archive = archive();
        archive.create(KEY, &task()).await.unwrap();
        assert!(archive.find(KEY).await.unwrap().unwrap().end().is_none());
        tokio::time::sleep(LEASE * 2).await;
        assert!(matches!(archive.find(KEY).await.unwrap().unwrap().end(), Some(End::Failed(_))));
        let late = archive.end(KEY, &done()).await.unwrap().unwrap();
        assert!(matches!(late.end(), Some(End::Failed(_))), "what clients were told stands");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_has_ended_needs_no_replica() {
        let archive = archive();
        archive.create(KEY, &task()).await.unwrap();
        archive.end(KEY, &done()).await.unwrap();
        tokio::time::sleep(LEASE * 2).await;
        assert!(matches!(archive.find(KEY).await.unwrap().unwrap().end(), Some(End::Completed(_))));
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert!(archive.find(KEY).await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_ends_at_once_one_stands_for_both() {
        let archive = archive();
        archive.create(KEY, &task()).await.unwrap();
        let (one, other) = (done(), End::Cancelled);
        let (one, other) = tokio::join!(archive.end(KEY, &one), archive.end(KEY, &other));
        let (one, other) = (one.unwrap().unwrap(), other.unwrap().unwrap());
        assert_eq!(write(&one), write(&other));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_worker_knows_is_learnt_again_and_never_undoes_an_end() {
        let archive = archive();
        let mut state = task();
        state.say("half of it");
        archive.keep(KEY, &state).await.unwrap();
        archive.lease(KEY).await.unwrap();
        assert_eq!(write(&archive.find(KEY).await.unwrap().unwrap()), write(&state));
        archive.end(KEY, &End::Cancelled).await.unwrap();
        state.say("more of it");
        let stands = archive.keep(KEY, &state).await.unwrap();
        assert!(matches!(stands.end(), Some(End::Cancelled)));
    }
}
