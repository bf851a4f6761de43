//! What a POST turned out to be.

use super::{Accepts, Meta};
use crate::{
    Era, Revision,
    header::SessionId,
    jsonrpc::{Id, Outcome},
};
use serde_json::value::RawValue;
use std::borrow::Cow;

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
    /// The revision that its answer must be written in. A legacy message without the header counts as the latest
    /// legacy revision: what its session negotiated is the caller's to know.
    pub revision: Revision,
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

/// What a request asks for. A method that its era does not have never gets here.
#[derive(Clone, Debug)]
pub enum Operation<'a> {
    /// `initialize`; legacy.
    Initialize(Initialize<'a>),
    /// `server/discover`; modern.
    Discover,
    /// `ping`; legacy.
    Ping,
    /// `tools/list`.
    ListTools {
        /// The place of the page, from an earlier answer's `nextCursor`.
        cursor: Option<Cow<'a, str>>,
    },
    /// `tools/call`.
    CallTool(CallTool<'a>),
    /// `subscriptions/listen`; modern.
    Listen(Listen),
}

impl Operation<'_> {
    /// The method, one of a fixed few: fit for a metric label.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Initialize(_) => "initialize",
            Self::Discover => "server/discover",
            Self::Ping => "ping",
            Self::ListTools { .. } => "tools/list",
            Self::CallTool(_) => "tools/call",
            Self::Listen(_) => "subscriptions/listen",
        }
    }
}

/// Params of `initialize` (2025-11-25, lifecycle, "Initialization").
#[derive(Clone, Debug)]
pub struct Initialize<'a> {
    /// What the client asked for.
    pub requested: Cow<'a, str>,
    /// What the answer must say, by [`Revision::negotiate`].
    pub negotiated: Revision,
    /// An object.
    pub capabilities: &'a RawValue,
    /// An object.
    pub client_info: &'a RawValue,
}

/// Params of `tools/call`.
#[derive(Clone, Debug)]
pub struct CallTool<'a> {
    /// Which tool; case-sensitive.
    pub name: Cow<'a, str>,
    /// An object, or absent; see [`CallTool::arguments_json`].
    pub arguments: Option<&'a RawValue>,
    /// Answers to an earlier `input_required`; modern only.
    pub input_responses: Option<&'a RawValue>,
    /// State that came with an earlier `input_required`; modern only.
    pub request_state: Option<Cow<'a, str>>,
}

impl<'a> CallTool<'a> {
    /// The arguments as JSON text; `{}` when absent, which means the same.
    pub fn arguments_json(&self) -> &'a str {
        self.arguments.map_or("{}", RawValue::get)
    }
}

/// Params of `subscriptions/listen` (2026-07-28, basic/patterns/subscriptions, "Notification Filter"). Filters for what
/// is not served here are checked and left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Whether `toolsListChanged` is asked for.
    pub tools: Wanted,
}

/// Whether the client opts in to a kind of notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It does.
    Yes,
    /// It does not: the server must not send any.
    No,
}

/// A notification.
#[derive(Clone, Debug)]
pub struct Notification<'a> {
    /// How it came.
    pub context: Context,
    /// What it says.
    pub notified: Notified<'a>,
}

/// What a notification says.
#[derive(Clone, Debug)]
pub enum Notified<'a> {
    /// `notifications/initialized`.
    Initialized,
    /// `notifications/cancelled`. On modern HTTP the closed stream is the cancel; one that comes all the same is
    /// handed on.
    Cancelled {
        /// The client's id of the request. Look it up among that client's own calls only.
        request_id: Id<'a>,
        /// For people.
        reason: Option<Cow<'a, str>>,
    },
    /// `notifications/progress`, on a request of ours.
    Progress {
        /// Unread.
        params: Option<&'a RawValue>,
    },
    /// Anything else. Unknown notifications are ignored.
    Other {
        /// Its method, the client's own text.
        method: Cow<'a, str>,
    },
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
