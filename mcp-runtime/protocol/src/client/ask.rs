//! What can be asked of a server, and what goes with it.

use crate::{
    Method,
    json::{JsonText, Members, ObjectWriter, quoted},
    jsonrpc::Id,
    server::{Listen, LogLevel, Reference, TaskVerb, key},
};
use serde_json::value::RawValue;

/// A request to a server, names and URIs its own. Which revisions have it, [`Ask::method`] and [`Method::is_in`] say; one
/// that the peer's revision lacks goes out all the same and is refused there.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// `ping`; legacy.
    Ping,
    /// `server/discover`; modern.
    Discover,
    /// `logging/setLevel`; legacy.
    SetLogLevel(LogLevel),
    /// A page of a list, from the beginning or from a `nextCursor`.
    List(ListKind, Option<&'a str>),
    /// `tools/call`.
    CallTool {
        /// Which tool.
        name: &'a str,
        /// An object as JSON text; [`crate::server::CallTool::arguments_json`] gives it.
        arguments: &'a str,
    },
    /// `prompts/get`.
    GetPrompt {
        /// Which prompt.
        name: &'a str,
        /// An object of strings as JSON text, when given.
        arguments: Option<&'a str>,
    },
    /// `resources/read`.
    ReadResource(&'a str),
    /// `resources/subscribe`; legacy.
    Subscribe(&'a str),
    /// `resources/unsubscribe`; legacy.
    Unsubscribe(&'a str),
    /// `completion/complete`.
    Complete {
        /// What is being filled in.
        reference: &'a Reference<'a>,
        /// Name of the argument.
        argument: &'a str,
        /// What was typed so far.
        value: &'a str,
        /// Left out before 2025-06-18, which knows none.
        context: Option<&'a RawValue>,
    },
    /// `subscriptions/listen`; modern.
    Listen(&'a Listen),
    /// `tasks/get`, `tasks/update`, `tasks/cancel`; modern. The responses of an update are in
    /// [`AskContext::input_responses`].
    Task(TaskVerb, &'a str),
}

/// The lists of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// `tools/list`.
    Tools,
    /// `prompts/list`.
    Prompts,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    ResourceTemplates,
}

impl ListKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::ResourceTemplates];

    /// The method, the member of the result that holds the list, and the member that identifies an element.
    const fn row(self) -> (Method, &'static str, &'static str) {
        match self {
            Self::Tools => (Method::ListTools, "tools", "name"),
            Self::Prompts => (Method::ListPrompts, "prompts", "name"),
            Self::Resources => (Method::ListResources, "resources", "uri"),
            Self::ResourceTemplates => (Method::ListResourceTemplates, "resourceTemplates", "uriTemplate"),
        }
    }

    /// The method.
    pub const fn method(self) -> Method {
        self.row().0
    }

    /// The member of the result that holds the list.
    pub const fn member(self) -> &'static str {
        self.row().1
    }

    /// The member that identifies an element.
    pub const fn key(self) -> &'static str {
        self.row().2
    }
}

/// What goes with a request besides what it asks. Each peer writes what its era has a place for.
#[derive(Clone, Copy, Debug, Default)]
pub struct AskContext<'a> {
    /// `_meta` members of the client to hand on, such as `traceparent`. Those that belong to one hop (revision, client,
    /// capabilities, log level, progress token) are left out and written anew.
    pub meta: Option<&'a RawValue>,
    /// Asks for progress; ours, not the client's.
    pub progress_token: Option<&'a Id<'a>>,
    /// Least severe log message that is wanted; modern, in place of the peer's.
    pub log_level: Option<LogLevel>,
    /// What the client behind us can do, an object; modern, in place of the peer's.
    pub client_capabilities: Option<&'a JsonText>,
    /// Answers to an earlier `input_required`, an object ([`crate::mrtr::write_responses`]); modern.
    pub input_responses: Option<&'a str>,
    /// State that came with it; modern.
    pub request_state: Option<&'a str>,
}

impl AskContext<'_> {
    /// `_meta` so far: the client's own members and the progress token.
    pub(super) fn meta(&self) -> ObjectWriter {
        let members = self.meta.and_then(Members::read).unwrap_or_default();
        let own = members.iter().filter(|(key, _)| !is_hop_key(key));
        let writer = own.fold(ObjectWriter::new(), |writer, (key, value)| writer.raw(key, value.get()));
        writer.raw_some("progressToken", self.progress_token.map(Id::as_json))
    }
}

fn is_hop_key(name: &str) -> bool {
    matches!(
        name,
        key::PROTOCOL_VERSION
            | key::CLIENT_INFO
            | key::CLIENT_CAPABILITIES
            | key::LOG_LEVEL
            | key::PROGRESS_TOKEN
    )
}

impl<'a> Ask<'a> {
    /// The method.
    pub const fn method(&self) -> Method {
        match self {
            Self::Ping => Method::Ping,
            Self::Discover => Method::Discover,
            Self::SetLogLevel(_) => Method::SetLogLevel,
            Self::List(kind, _) => kind.method(),
            Self::CallTool { .. } => Method::CallTool,
            Self::GetPrompt { .. } => Method::GetPrompt,
            Self::ReadResource(_) => Method::ReadResource,
            Self::Subscribe(_) => Method::Subscribe,
            Self::Unsubscribe(_) => Method::Unsubscribe,
            Self::Complete { .. } => Method::Complete,
            Self::Listen(_) => Method::Listen,
            Self::Task(verb, _) => verb.method(),
        }
    }

    /// What `Mcp-Name` says.
    pub(super) const fn name(&self) -> Option<&'a str> {
        match self {
            Self::CallTool { name, .. } | Self::GetPrompt { name, .. } => Some(name),
            Self::ReadResource(uri) => Some(uri),
            Self::Task(_, id) => Some(id),
            _ => None,
        }
    }

    /// Its own params; what goes with it comes after.
    pub(super) fn params(&self, revision: crate::Revision) -> ObjectWriter {
        let writer = ObjectWriter::new();
        match self {
            Self::Ping | Self::Discover => writer,
            Self::SetLogLevel(level) => writer.text("level", level.as_str()),
            Self::List(_, cursor) => writer.text_some("cursor", *cursor),
            Self::CallTool { name, arguments } => writer.text("name", name).raw("arguments", arguments),
            Self::GetPrompt { name, arguments } => {
                writer.text("name", name).raw_some("arguments", *arguments)
            }
            Self::ReadResource(uri) | Self::Subscribe(uri) | Self::Unsubscribe(uri) => {
                writer.text("uri", uri)
            }
            Self::Complete { reference, argument, value, context } => {
                let typed = ObjectWriter::new().text("name", argument).text("value", value).finish();
                let context = context.filter(|_| revision >= crate::Revision::V2025_06_18);
                let writer = writer.raw("ref", &reference.write()).raw("argument", typed.as_str());
                writer.raw_some("context", context.map(RawValue::get))
            }
            Self::Listen(filter) => writer.raw("notifications", filter.write().as_str()),
            Self::Task(_, id) => writer.text("taskId", id),
        }
    }
}

impl Reference<'_> {
    fn write(&self) -> String {
        let (kind, key, value) = match self {
            Self::Prompt(name) => ("ref/prompt", "name", name),
            Self::Resource(uri) => ("ref/resource", "uri", uri),
        };
        ObjectWriter::new().text("type", kind).raw(key, &quoted(value)).into_string()
    }
}
