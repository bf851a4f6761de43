//! The id of a task, as clients carry it. It is short, for some of them are models that must copy it.
//!
//! ```text
//! kind 1 | holder 16 | key 16 | tool, as length 1 and text | owner            a task of ours
//! kind 1 | holder 16          | tool, as length 1 and text | length 1 and upstream | id there
//! ```

use crate::{
    catalog::{Snapshot, merge::Target},
    exchange::Ask,
    seal::{Keyring, NotSealed, Purpose},
};
use mcpfleet_protocol::task::id_of;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

const OF_OURS: u8 = 1;
const OF_UPSTREAM: u8 = 2;

/// A task that a client may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::conversation) struct TaskId {
    /// The call that became the task, by the name that clients use.
    pub(in crate::conversation) tool: String,
    /// Where it is.
    pub(in crate::conversation) place: Place,
}

/// Where a task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::conversation) enum Place {
    /// In a replica of this server.
    Replica {
        /// Its name there.
        key: [u8; 16],
        /// `ip:port` of the peer listener of that replica; empty when it has none.
        owner: String,
    },
    /// At a modern upstream.
    Upstream {
        /// Which.
        upstream: String,
        /// Its id there.
        id: String,
    },
}

/// A server and one of its callers: a task is theirs alone.
#[derive(Clone, Copy, Debug)]
pub(in crate::conversation) struct Holder<'a> {
    /// `namespace/name`: one process may serve several servers by one key.
    pub(in crate::conversation) server: &'a str,
    /// Fingerprint of the principal.
    pub(in crate::conversation) partition: [u8; 16],
}

/// No task of this caller's. It is one error on purpose: which it is would help only whoever tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "taskId: there is no such task, or it is kept no longer; the call may have taken effect, so look before you make it again"
)]
pub(in crate::conversation) struct NoSuchTask;

impl TaskId {
    /// The text for the client.
    ///
    /// # Errors
    /// When an upstream's id is longer than a client may be given to carry.
    pub(in crate::conversation) fn seal(
        &self,
        keys: &Keyring,
        holder: Holder<'_>,
    ) -> Result<String, NotSealed> {
        let holder = holder.digest();
        let tool = [&[length(&self.tool)?], self.tool.as_bytes()].concat();
        let bytes = match &self.place {
            Place::Replica { key, owner } => {
                [&[OF_OURS], &holder[..], &key[..], &tool, owner.as_bytes()].concat()
            }
            Place::Upstream { upstream, id } => {
                let upstream = [&[length(upstream)?], upstream.as_bytes()].concat();
                [&[OF_UPSTREAM], &holder[..], &tool, &upstream, id.as_bytes()].concat()
            }
        };
        keys.seal(Purpose::Task, &bytes)
    }

    /// The task that a modern upstream made of a call; `None` when its answer names none.
    pub(in crate::conversation) fn of_upstream(
        snapshot: &Snapshot,
        ask: &Ask,
        created: &RawValue,
    ) -> Option<Self> {
        let Ask::CallTool { name, .. } = ask else { return None };
        let Target::Upstream { upstream, .. } = &snapshot.tool(name)?.target else { return None };
        let place = Place::Upstream { upstream: upstream.clone(), id: id_of(created)? };
        Some(Self { tool: name.clone(), place })
    }

    /// What a client's text says.
    ///
    /// # Errors
    /// [`NoSuchTask`]: forged, changed, of another server or another caller, or sealed so long ago that the key is gone.
    pub(in crate::conversation) fn open(
        text: &str,
        keys: &Keyring,
        holder: Holder<'_>,
    ) -> Result<Self, NoSuchTask> {
        let bytes = keys.open(Purpose::Task, text).map_err(|_| NoSuchTask)?;
        read(&bytes, holder.digest()).ok_or(NoSuchTask)
    }
}

impl Holder<'_> {
    fn digest(self) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(self.partition);
        hash.update(self.server);
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        digest
    }
}

fn length(text: &str) -> Result<u8, NotSealed> {
    let most = usize::from(u8::MAX);
    u8::try_from(text.len()).map_err(|_| NotSealed::TooLong { bytes: text.len(), most })
}

/// The task that these bytes name to their own holder; `None` for another, and when another version of this program wrote
/// them.
fn read(bytes: &[u8], holder: [u8; 16]) -> Option<TaskId> {
    let (&kind, rest) = bytes.split_first()?;
    let (theirs, rest) = rest.split_first_chunk::<16>()?;
    if *theirs != holder {
        return None;
    }
    match kind {
        OF_OURS => {
            let (key, rest) = rest.split_first_chunk::<16>()?;
            let (tool, owner) = word(rest)?;
            Some(TaskId { tool, place: Place::Replica { key: *key, owner: all(owner)? } })
        }
        OF_UPSTREAM => {
            let (tool, rest) = word(rest)?;
            let (upstream, id) = word(rest)?;
            Some(TaskId { tool, place: Place::Upstream { upstream, id: all(id)? } })
        }
        _ => None,
    }
}

fn word(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (word, rest) = rest.split_at_checked(usize::from(length))?;
    Some((all(word)?, rest))
}

fn all(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLDER: Holder<'static> = Holder { server: "default/a", partition: [1; 16] };

    fn task() -> TaskId {
        let place = Place::Upstream { upstream: "files".into(), id: "42".into() };
        TaskId { tool: "files_scan".into(), place }
    }

    #[test]
    fn an_id_opens_for_its_own_caller_at_its_own_server_only() {
        let keys = Keyring::random().unwrap();
        let id = task().seal(&keys, HOLDER).unwrap();
        assert_eq!(TaskId::open(&id, &keys, HOLDER), Ok(task()));
        for other in [Holder { partition: [2; 16], ..HOLDER }, Holder { server: "default/b", ..HOLDER }] {
            assert_eq!(TaskId::open(&id, &keys, other), Err(NoSuchTask));
        }
    }

    #[test]
    fn an_id_of_ours_is_short_enough_to_be_copied() {
        let keys = Keyring::random().unwrap();
        let place = Place::Replica { key: [3; 16], owner: "10.244.17.31:8082".into() };
        let ours = TaskId { tool: "orders_export".into(), place };
        let id = ours.seal(&keys, HOLDER).unwrap();
        assert_eq!(TaskId::open(&id, &keys, HOLDER), Ok(ours));
        assert!(id.len() <= 160, "{} characters", id.len());
    }

    #[test]
    fn bytes_of_no_task_name_none() {
        let keys = Keyring::random().unwrap();
        let whole = [&[OF_UPSTREAM], &HOLDER.digest()[..], b"\x05files\x02up42"].concat();
        assert!(read(&whole, HOLDER.digest()).is_some());
        for at in 0..whole.len() - 2 {
            let sealed = keys.seal(Purpose::Task, &whole[..at]).unwrap();
            assert_eq!(TaskId::open(&sealed, &keys, HOLDER), Err(NoSuchTask), "{at}");
        }
    }

    #[test]
    fn two_ids_of_one_task_tell_nothing_and_a_changed_one_opens_nothing() {
        let keys = Keyring::random().unwrap();
        let (one, two) = (task().seal(&keys, HOLDER).unwrap(), task().seal(&keys, HOLDER).unwrap());
        assert_ne!(one, two);
        for at in [0, one.len() / 2, one.len() - 1] {
            let mut forged = one.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(TaskId::open(&forged, &keys, HOLDER), Err(NoSuchTask), "byte {at}");
        }
        assert_eq!(TaskId::open("42", &keys, HOLDER), Err(NoSuchTask));
    }

    #[test]
    fn what_was_sealed_for_another_purpose_is_no_task() {
        let keys = Keyring::random().unwrap();
        let state = keys.seal(Purpose::RequestState, b"{}").unwrap();
        assert_eq!(TaskId::open(&state, &keys, HOLDER), Err(NoSuchTask));
    }
}
