//! What the requests say: params, read as far as a gateway must.

use super::LogLevel;
use crate::{
    Method, Revision,
    json::{JsonText, ObjectWriter, array, quoted},
    jsonrpc::Id,
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a request asks for. A method that its revision does not have never gets here.
#[derive(Clone, Debug)]
pub enum Operation<'a> {
    /// `initialize`; legacy.
    Initialize(Initialize<'a>),
    /// `server/discover`; modern.
    Discover,
    /// `ping`; legacy.
    Ping,
    /// `logging/setLevel`; legacy. The modern era says it in `_meta`.
    SetLogLevel(LogLevel),
    /// `tools/list`.
    ListTools {
        /// The place of the page, from an earlier answer's `nextCursor`.
        cursor: Option<Cow<'a, str>>,
    },
    /// `tools/call`.
    CallTool(CallTool<'a>),
    /// `prompts/list`.
    ListPrompts {
        /// As for `tools/list`.
        cursor: Option<Cow<'a, str>>,
    },
    /// `prompts/get`.
    GetPrompt(GetPrompt<'a>),
    /// `resources/list`.
    ListResources {
        /// As for `tools/list`.
        cursor: Option<Cow<'a, str>>,
    },
    /// `resources/templates/list`.
    ListResourceTemplates {
        /// As for `tools/list`.
        cursor: Option<Cow<'a, str>>,
    },
    /// `resources/read`.
    ReadResource(ReadResource<'a>),
    /// `resources/subscribe`; legacy.
    Subscribe {
        /// Which resource.
        uri: Cow<'a, str>,
    },
    /// `resources/unsubscribe`; legacy.
    Unsubscribe {
        /// Which resource.
        uri: Cow<'a, str>,
    },
    /// `completion/complete`.
    Complete(Complete<'a>),
    /// `subscriptions/listen`; modern.
    Listen(Listen),
    /// `tasks/get`, `tasks/update` or `tasks/cancel`; modern, by extension. The params are in [`super::Request::params`].
    Task {
        /// What to do.
        verb: TaskVerb,
        /// With which task.
        id: Cow<'a, str>,
    },
}

impl Operation<'_> {
    /// Which method it is.
    pub const fn kind(&self) -> Method {
        match self {
            Self::Initialize(_) => Method::Initialize,
            Self::Discover => Method::Discover,
            Self::Ping => Method::Ping,
            Self::SetLogLevel(_) => Method::SetLogLevel,
            Self::ListTools { .. } => Method::ListTools,
            Self::CallTool(_) => Method::CallTool,
            Self::ListPrompts { .. } => Method::ListPrompts,
            Self::GetPrompt(_) => Method::GetPrompt,
            Self::ListResources { .. } => Method::ListResources,
            Self::ListResourceTemplates { .. } => Method::ListResourceTemplates,
            Self::ReadResource(_) => Method::ReadResource,
            Self::Subscribe { .. } => Method::Subscribe,
            Self::Unsubscribe { .. } => Method::Unsubscribe,
            Self::Complete(_) => Method::Complete,
            Self::Listen(_) => Method::Listen,
            Self::Task { verb, .. } => verb.method(),
        }
    }

    /// The method, one of a fixed few: fit for a metric label.
    pub const fn method(&self) -> &'static str {
        self.kind().as_str()
    }
}

/// What to do with a task (extension `io.modelcontextprotocol/tasks`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskVerb {
    /// `tasks/get`.
    Get,
    /// `tasks/update`.
    Update,
    /// `tasks/cancel`.
    Cancel,
}

impl TaskVerb {
    /// The method that says so.
    pub const fn method(self) -> Method {
        match self {
            Self::Get => Method::GetTask,
            Self::Update => Method::UpdateTask,
            Self::Cancel => Method::CancelTask,
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
    /// An object; [`crate::ClientCapabilities::read`] reads it.
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
    /// Answers to an earlier `input_required`; modern only. [`crate::mrtr::InputResponses::read`] reads them.
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

/// Params of `prompts/get`.
#[derive(Clone, Debug)]
pub struct GetPrompt<'a> {
    /// Which prompt; case-sensitive.
    pub name: Cow<'a, str>,
    /// An object whose values are strings, or absent.
    pub arguments: Option<&'a RawValue>,
    /// As for [`CallTool`].
    pub input_responses: Option<&'a RawValue>,
    /// As for [`CallTool`].
    pub request_state: Option<Cow<'a, str>>,
}

/// Params of `resources/read`.
#[derive(Clone, Debug)]
pub struct ReadResource<'a> {
    /// Which resource.
    pub uri: Cow<'a, str>,
    /// As for [`CallTool`].
    pub input_responses: Option<&'a RawValue>,
    /// As for [`CallTool`].
    pub request_state: Option<Cow<'a, str>>,
}

/// Params of `completion/complete`.
#[derive(Clone, Debug)]
pub struct Complete<'a> {
    /// What is being filled in.
    pub reference: Reference<'a>,
    /// Name of the argument or of the template's variable.
    pub argument: Cow<'a, str>,
    /// What was typed so far.
    pub value: Cow<'a, str>,
    /// Other values that are known already, an object with `arguments`; since 2025-06-18.
    pub context: Option<&'a RawValue>,
}

/// What a completion is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `ref/prompt`: a prompt by name.
    Prompt(Cow<'a, str>),
    /// `ref/resource`: a resource template by its text.
    Resource(Cow<'a, str>),
}

/// Params of `subscriptions/listen` (2026-07-28, basic/patterns/subscriptions, "Notification Filter"). Owned and bounded:
/// it is kept for as long as the stream, which is hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listen {
    /// Whether `toolsListChanged` is asked for.
    pub tools: Wanted,
    /// Whether `promptsListChanged` is asked for.
    pub prompts: Wanted,
    /// Whether `resourcesListChanged` is asked for.
    pub resources: Wanted,
    /// `resourceSubscriptions`: resources whose updates are asked for. At most [`Listen::MAX_UPDATES`], each of at most
    /// [`Listen::MAX_URI_BYTES`].
    pub updates: Vec<String>,
}

impl Listen {
    /// Most resources of one stream.
    pub const MAX_UPDATES: usize = 256;
    /// Longest URI of one, in bytes.
    pub const MAX_URI_BYTES: usize = 2048;

    /// Whether nothing at all is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The filter on the wire, without what is not wanted.
    pub fn write(&self) -> JsonText {
        let uris: Vec<String> = self.updates.iter().map(|uri| quoted(uri)).collect();
        let uris = (!uris.is_empty()).then(|| array(uris.iter().map(String::as_str)));
        ObjectWriter::new()
            .raw_some("toolsListChanged", self.tools.as_true())
            .raw_some("promptsListChanged", self.prompts.as_true())
            .raw_some("resourcesListChanged", self.resources.as_true())
            .raw_some("resourceSubscriptions", uris.as_deref())
            .finish()
    }
}

/// Whether the client opts in to a kind of notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// It does.
    Yes,
    /// It does not: the server must not send any.
    #[default]
    No,
}

impl Wanted {
    const fn as_true(self) -> Option<&'static str> {
        match self {
            Self::Yes => Some("true"),
            Self::No => None,
        }
    }
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
        /// The token of our request.
        token: Id<'a>,
        /// The whole object.
        params: &'a RawValue,
    },
    /// `notifications/roots/list_changed`; legacy.
    RootsListChanged,
    /// Anything else. Unknown notifications are ignored.
    Other {
        /// Its method, the client's own text.
        method: Cow<'a, str>,
    },
}
