//! The id of a task, as clients carry it.

use crate::{
    catalog::{Snapshot, merge::Target},
    exchange::Ask,
    seal::{Keyring, NotSealed, Purpose},
};
use mcpfleet_protocol::task::id_of;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A task that a client may name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::conversation) struct TaskId {
    /// The call that became the task, by the name that clients use.
    pub(in crate::conversation) tool: String,
    /// Where it is.
    pub(in crate::conversation) place: Place,
}

/// Where a task is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

#[derive(Serialize, Deserialize)]
struct Envelope {
    server: String,
    partition: [u8; 16],
    task: TaskId,
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
        self,
        keys: &Keyring,
        holder: Holder<'_>,
    ) -> Result<String, NotSealed> {
        let Holder { server, partition } = holder;
        let envelope = Envelope { server: server.to_owned(), partition, task: self };
        let text = serde_json::to_vec(&envelope).map_err(|_| NotSealed::Library)?;
        keys.seal(Purpose::Task, &text)
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
        let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|_| NoSuchTask)?;
        let theirs = envelope.partition == holder.partition && envelope.server == holder.server;
        if theirs { Ok(envelope.task) } else { Err(NoSuchTask) }
    }
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
