//! One request that is carried out: what goes in ([`crate::exchange::Request`]), what comes out ([`Outcome`] or
//! [`CallError`]).

pub mod authorize;
pub mod conform;
mod help;
mod own;
pub mod route;
pub mod stack;
pub mod validate;

use crate::identity::Challenge;
use mcpfleet_protocol::{Era, ErrorCode};
use serde_json::{Map, Value, value::RawValue};
use std::time::Duration;

/// What a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
    /// A resource.
    Resource,
    /// What a completion is for.
    Reference,
}

impl Named {
    /// The code of a request that names what is not there. Only the legacy revisions have one for resources
    /// (2025-11-25, server/resources, "Error Handling"; 2026-07-28, server/resources).
    pub const fn not_found(self, era: Era) -> ErrorCode {
        match (self, era) {
            (Self::Resource, Era::Legacy) => ErrorCode::ResourceNotFound,
            _ => ErrorCode::InvalidParams,
        }
    }

    /// The word, and the method that lists what there is.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Tool => ("tool", "tools/list"),
            Self::Prompt => ("prompt", "prompts/list"),
            Self::Resource => ("resource", "resources/list"),
            Self::Reference => ("prompt or resource template", "prompts/list and resources/templates/list"),
        }
    }
}

/// What a call gave.
#[derive(Debug)]
pub enum Outcome {
    /// Made by a backend of ours.
    Made(ToolResult),
    /// A result object of an upstream, handed on without its era's envelope fields (`resultType`).
    Forwarded(Box<RawValue>),
    /// A modern upstream wants something of the client first (2026-07-28, basic/patterns/mrtr). For modern clients only.
    InputRequired {
        /// `inputRequests`, an object.
        requests: Option<Box<RawValue>>,
        /// The upstream's `requestState`.
        state: Option<String>,
    },
    /// A modern upstream has made a task of it: its `CreateTaskResult`, with the id that it has there. Only for clients
    /// that have declared the extension.
    Task(Box<RawValue>),
}

/// A result of ours. `is_error` results are for the model to read: what went wrong, and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// Text content.
    pub text: String,
    /// Structured content: an object.
    pub structured: Option<Map<String, Value>>,
    /// Whether the tool failed.
    pub is_error: bool,
}

impl ToolResult {
    /// A good result.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), structured: None, is_error: false }
    }

    /// A failure that the model is to read.
    pub fn failure(text: impl Into<String>) -> Self {
        Self { text: text.into(), structured: None, is_error: true }
    }
}

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nothing of that name, as far as the caller may know.
    #[error("there is no {} {name:?} here; {} names what there is", .kind.words().0, .kind.words().1)]
    Unknown {
        /// What was asked for.
        kind: Named,
        /// Its name or URI.
        name: String,
    },
    /// The caller lacks scopes. HTTP 401 or 403 with a challenge (MCP, authorization, "Scope Challenge Handling").
    #[error("{}", .challenge.message())]
    NotAllowed {
        /// What the caller is told.
        challenge: Box<Challenge>,
    },
    /// The arguments do not fit the schema. MCP 2025-11-25 and later: a result with `isError`.
    #[error("the arguments of {tool:?} do not fit its schema: {problems}")]
    InvalidArguments {
        /// The tool.
        tool: String,
        /// Where, what was expected, what came.
        problems: String,
    },
    /// The admission queue is full, or the wait was too long. HTTP 503 with Retry-After.
    #[error("the server is at its capacity ({reason}); try again in {} s", .retry_after.as_secs())]
    Busy {
        /// Which bound was met.
        reason: &'static str,
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The deadline passed. A result with `isError`.
    #[error("{tool:?} did not answer within {} ms", .after.as_millis())]
    Timeout {
        /// The tool.
        tool: String,
        /// The tool's timeout.
        after: Duration,
    },
    /// Something behind the tool failed. A result with `isError`.
    #[error("{message}")]
    Unavailable {
        /// What failed and what to do, for a model: no secrets, no stack traces.
        message: String,
    },
    /// An upstream answered with a JSON-RPC error, which is handed on.
    #[error("{message}")]
    Upstream {
        /// JSON-RPC error code.
        code: i64,
        /// Its message.
        message: String,
        /// Its data.
        data: Option<Box<RawValue>>,
        /// Era of the upstream, whose codes these are.
        from: Era,
    },
}

impl CallError {
    /// Metric label; one word of a closed set.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unknown { kind: Named::Tool, .. } => "unknown_tool",
            Self::Unknown { .. } => "unknown",
            Self::NotAllowed { .. } => "not_allowed",
            Self::InvalidArguments { .. } => "invalid_arguments",
            Self::Busy { .. } => "busy",
            Self::Timeout { .. } => "timeout",
            Self::Unavailable { .. } => "unavailable",
            Self::Upstream { .. } => "upstream",
        }
    }
}
