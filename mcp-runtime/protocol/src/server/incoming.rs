//! What a POST turned out to be.

use super::{Accepts, Meta, Notified, Operation, Refusal};
use crate::{
    Era, Revision,
    header::SessionId,
    jsonrpc::{Id, Outcome},
};
use serde_json::value::RawValue;

/// One message or a batch of them.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every body is one message: a box would cost each an allocation"
)]
pub enum Posted<'a> {
    /// One message.
    One(Incoming<'a>),
    /// A batch, 2025-03-26 only. Answer its requests with one array ([`crate::jsonrpc::batch`]) or one event each, a
    /// refusal with its body; a batch without requests with 202. Each has the same [`Context`]: one whose session speaks
    /// another revision must be refused as a whole ([`Refusal::batch`]), which without a header only the caller can know.
    Batch(Vec<Result<Incoming<'a>, Refusal>>),
}

/// One message from a client, checked against its era's rules.
#[derive(Clone, Debug)]
pub enum Incoming<'a> {
    /// To be answered.
    Request(Request<'a>),
    /// To be answered with 202 and no body.
    Notification(Notification<'a>),
    /// To be answered with 202 and no body; legacy only.
    Response(Response<'a>),
}

/// How a message came.
#[derive(Clone, Debug)]
pub struct Context {
    /// The revision that its answer must be written in. When nothing was [stated](Self::stated) it is the session's that
    /// counts: [`Context::in_session`].
    pub revision: Revision,
    /// What header, `_meta` or the connection said. `None`: nobody did.
    pub stated: Option<Revision>,
    /// The session that it names; legacy only, a modern message's is ignored.
    pub session: Option<SessionId>,
    /// The forms in which its answer may go back.
    pub accepts: Accepts,
}

impl Context {
    /// The era of the revision.
    pub const fn era(&self) -> Era {
        self.revision.era()
    }

    /// The same within a session that has negotiated a revision, which outweighs what the header says: some clients send
    /// their newest in every request.
    #[must_use]
    pub fn in_session(self, negotiated: Revision) -> Self {
        Self { revision: negotiated, ..self }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Echoed in the answer.
    pub id: Id<'a>,
    /// How it came.
    pub context: Context,
    /// Its `_meta`.
    pub meta: Meta<'a>,
    /// Its params as they came, `_meta` among them.
    pub params: Option<&'a RawValue>,
    /// What it asks for.
    pub operation: Operation<'a>,
}

/// A notification.
#[derive(Clone, Debug)]
pub struct Notification<'a> {
    /// How it came.
    pub context: Context,
    /// What it says.
    pub notified: Notified<'a>,
}

/// An answer to a request of ours.
#[derive(Clone, Debug)]
pub struct Response<'a> {
    /// How it came.
    pub context: Context,
    /// Our id.
    pub id: Option<Id<'a>>,
    /// Its result or error.
    pub outcome: Outcome<'a>,
}
