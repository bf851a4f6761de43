//! One request of a client and everything that is said until it is answered, whatever the transport.
//!
//! ```text
//! transport ──► Operation ──► local::answer        what the snapshot or the session knows: lists, ping, log level
//!                   │
//!                   └───────► carry::begin ──► Exchange ──► Step::Message ...  progress, logs, server requests
//!                              (call::stack)                Step::Last         the answer
//! ```
//!
//! An [`Exchange`] is the work and what it says on the way. Who drives it depends on the era: a modern request dies
//! with its response stream, so the response body drives it; a legacy one outlives its connection, so a task does. When
//! the work asks something of a modern client the exchange is taken apart: the answer is `input_required`, the work
//! goes on in the background ([`Suspended`]), and the retry gets a new exchange around it. When a tool says so, or a call
//! that lends itself to it takes long, the answer is a task ([`Tasks`]), and the work goes on behind its id.

mod carry;
mod client;
mod exchange;
mod input;
mod job;
mod local;
mod look;
mod outcome;
mod reply;
mod suspended;
mod task;

pub use carry::{Elsewhere, begin, elsewhere, task_followed};
pub use client::{Client, Visit};
pub use exchange::{Delivery, Exchange, Step};
pub use input::{Digest, Sealed, Unusable};
pub use local::answer;
pub use reply::Answered;
pub use suspended::{Parked, Suspended};
pub(crate) use task::MAX_WAIT;
pub use task::{TaskPlace, Tasks};
