//! Every request that a client may make, in one table: which revisions have it, which parameter names its object, and
//! whether its answer may ask back.
//!
//! | method | revisions | named by |
//! |---|---|---|
//! | `initialize`, `ping`, `logging/setLevel`, `resources/subscribe`, `resources/unsubscribe` | 2024-11-05 to 2025-11-25 | |
//! | `tools/list`, `prompts/list`, `resources/list`, `resources/templates/list`, `completion/complete` | all | |
//! | `tools/call`, `prompts/get` | all | `name` |
//! | `resources/read` | all | `uri` |
//! | `server/discover`, `subscriptions/listen` | 2026-07-28 | |
//! | `tasks/get`, `tasks/update`, `tasks/cancel` | 2026-07-28, extension `io.modelcontextprotocol/tasks` | `taskId` |
//!
//! The experimental tasks of 2025-11-25 have other methods and other results; they are not served.

use crate::Revision;

/// A method of a client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table above and the wire name say it all")]
pub enum Method {
    Initialize,
    Ping,
    Discover,
    SetLogLevel,
    ListTools,
    CallTool,
    ListPrompts,
    GetPrompt,
    ListResources,
    ListResourceTemplates,
    ReadResource,
    Subscribe,
    Unsubscribe,
    Complete,
    Listen,
    GetTask,
    UpdateTask,
    CancelTask,
}

/// Whether the answer to a method may be `input_required` (2026-07-28, basic/patterns/mrtr, "Supported Requests").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsksBack {
    /// It may.
    Maybe,
    /// Never.
    Never,
}

use Revision::{V2024_11_05 as FIRST, V2025_11_25 as LAST_LEGACY, V2026_07_28 as MODERN};

impl Method {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Initialize,
        Self::Ping,
        Self::Discover,
        Self::SetLogLevel,
        Self::ListTools,
        Self::CallTool,
        Self::ListPrompts,
        Self::GetPrompt,
        Self::ListResources,
        Self::ListResourceTemplates,
        Self::ReadResource,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Complete,
        Self::Listen,
        Self::GetTask,
        Self::UpdateTask,
        Self::CancelTask,
    ];

    /// The wire name, the first and the last revision that have it, and the parameter that `Mcp-Name` mirrors.
    const fn row(self) -> (&'static str, Revision, Revision, Option<&'static str>) {
        match self {
            Self::Initialize => ("initialize", FIRST, LAST_LEGACY, None),
            Self::Ping => ("ping", FIRST, LAST_LEGACY, None),
            Self::Discover => ("server/discover", MODERN, MODERN, None),
            Self::SetLogLevel => ("logging/setLevel", FIRST, LAST_LEGACY, None),
            Self::ListTools => ("tools/list", FIRST, MODERN, None),
            Self::CallTool => ("tools/call", FIRST, MODERN, Some("name")),
            Self::ListPrompts => ("prompts/list", FIRST, MODERN, None),
            Self::GetPrompt => ("prompts/get", FIRST, MODERN, Some("name")),
            Self::ListResources => ("resources/list", FIRST, MODERN, None),
            Self::ListResourceTemplates => ("resources/templates/list", FIRST, MODERN, None),
            Self::ReadResource => ("resources/read", FIRST, MODERN, Some("uri")),
            Self::Subscribe => ("resources/subscribe", FIRST, LAST_LEGACY, None),
            Self::Unsubscribe => ("resources/unsubscribe", FIRST, LAST_LEGACY, None),
            Self::Complete => ("completion/complete", FIRST, MODERN, None),
            Self::Listen => ("subscriptions/listen", MODERN, MODERN, None),
            Self::GetTask => ("tasks/get", MODERN, MODERN, Some("taskId")),
            Self::UpdateTask => ("tasks/update", MODERN, MODERN, Some("taskId")),
            Self::CancelTask => ("tasks/cancel", MODERN, MODERN, Some("taskId")),
        }
    }

    /// The name on the wire, one of a fixed few: fit for a metric label.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Whether `revision` has it. Extensions count: whether a server offers one is for the caller to know.
    pub fn is_in(self, revision: Revision) -> bool {
        let (_, first, last, _) = self.row();
        (first..=last).contains(&revision)
    }

    /// The method of exactly this name that `revision` has.
    pub fn parse(name: &str, revision: Revision) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name && method.is_in(revision))
    }

    /// The parameter that the `Mcp-Name` header repeats (2026-07-28, streamable HTTP, "Standard Request Headers"; the
    /// tasks extension, "Streamable HTTP").
    pub const fn named_by(self) -> Option<&'static str> {
        self.row().3
    }

    /// Whether its answer may ask the client for input.
    pub const fn asks_back(self) -> AsksBack {
        match self {
            Self::CallTool | Self::GetPrompt | Self::ReadResource => AsksBack::Maybe,
            _ => AsksBack::Never,
        }
    }
}
