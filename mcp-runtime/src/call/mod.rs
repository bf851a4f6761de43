//! One tool call: what goes in ([`Call`]), what comes out ([`Outcome`] or [`CallError`]).

pub mod authorize;
pub mod stack;
pub mod validate;

use crate::identity::{Challenge, Principal};
use serde_json::{Map, Value, value::RawValue};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A tool call on its way through the stack.
#[derive(Debug)]
pub struct Call<'a> {
    /// Who calls.
    pub caller: &'a Arc<Principal>,
    /// Name that the client used.
    pub tool: &'a str,
    /// Arguments as they came; an absent object is `{}`.
    pub arguments: &'a RawValue,
    /// When the answer is worth nothing any more.
    pub deadline: Instant,
}

/// What a call gave.
#[derive(Debug)]
pub enum Outcome {
    /// Made by a backend of ours.
    Made(ToolResult),
    /// A result object of an upstream, handed on without its era's envelope fields (`resultType`).
    Forwarded(Box<RawValue>),
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
    /// No tool of that name. MCP: JSON-RPC error -32602.
    #[error("there is no tool {tool:?} here; tools/list names those that there are")]
    UnknownTool {
        /// The name that was asked for.
        tool: String,
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
    },
}

impl CallError {
    /// Metric label; one word of a closed set.
    pub fn label(&self) -> &'static str {
        match self {
            Self::UnknownTool { .. } => "unknown_tool",
            Self::NotAllowed { .. } => "not_allowed",
            Self::InvalidArguments { .. } => "invalid_arguments",
            Self::Busy { .. } => "busy",
            Self::Timeout { .. } => "timeout",
            Self::Unavailable { .. } => "unavailable",
            Self::Upstream { .. } => "upstream",
        }
    }
}
