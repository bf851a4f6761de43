//! Tasks (extension `io.modelcontextprotocol/tasks`): calls that a client follows by an id.
//!
//! ```text
//! upstream | who makes the task | tools/call                        | tasks/get, tasks/update, tasks/cancel
//! modern   | the upstream       | its id, sealed                    | unsealed, asked of the upstream, sealed again
//! any,     | this gateway       | the call goes on behind an id of  | answered by the replica that works on it, to which
//! or ours  |                    | ours ([`escalate`])               | the others forward, or from the store ([`archive`])
//! ```
//!
//! What a client gets is a [`TaskId`], sealed: it cannot be guessed, and it is worth something only to its own caller at
//! its own server. A task of ours is worked on by one replica ([`drive`]). Where replicas share a store, it is there before
//! its id is given away, and every replica can tell how it ended; else it ends with its replica. Clients without the
//! extension follow it by [`tools`].

mod answer;
mod archive;
mod drive;
mod escalate;
mod id;
mod record;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod tools;
mod wanted;

pub use answer::TaskPlace;
pub(super) use answer::{Wanted, Way, act, answer, owner_elsewhere, place, responses, way};
pub(super) use escalate::{Escalation, HESITATION, Made, Moment, escalation};
pub(super) use id::{Holder, TaskId};
pub use store::Tasks;
pub(crate) use tools::MAX_WAIT;
pub(super) use tools::{Called, Following, called, followed, view};
