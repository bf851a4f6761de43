//! Tasks (extension `io.modelcontextprotocol/tasks`): calls that a modern client follows by an id.
//!
//! ```text
//! upstream | who makes the task | tools/call                        | tasks/get, tasks/update, tasks/cancel
//! modern   | the upstream       | its id, sealed                    | unsealed, asked of the upstream, sealed again
//! legacy   | this gateway       | the call goes on behind an id of  | answered by the replica that keeps the call,
//!          |                    | ours once it takes long           | to which the others forward
//! ```
//!
//! What a client gets is a [`TaskId`], sealed: it cannot be guessed, and it is worth something only to its own caller at
//! its own server. A task of ours lives in one replica's memory, and ends with it.

mod answer;
mod drive;
mod escalate;
mod id;
mod record;
mod store;
#[cfg(test)]
mod tests;

pub(super) use answer::{Wanted, answer, owner_elsewhere, relayed};
pub(super) use escalate::{Escalation, HESITATION, escalation};
pub(super) use id::{Holder, TaskId};
pub use store::Tasks;
