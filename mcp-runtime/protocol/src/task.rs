//! Tasks, the extension `io.modelcontextprotocol/tasks` of 2026-07-28 (SEP-2663): a server answers a call with a handle,
//! by which the client asks for its state, gives input and cancels. Legacy revisions have nothing that fits.
//!
//! | message | result |
//! |---|---|
//! | `tools/call` | `resultType: task` and the bare task ([`created`]) |
//! | `tasks/get` | `resultType: complete`, the task, and what its state adds ([`detailed`]) |
//! | `tasks/update`, `tasks/cancel` | an acknowledgement, [`crate::answer::empty_result`] |

use crate::{
    answer::{Implementation, server_meta_members},
    json::{JsonText, Members, ObjectWriter, string},
};
use serde_json::value::RawValue;

/// Name of the extension.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The object of `extensions` in which it alone is declared. It has no settings.
pub fn extensions() -> JsonText {
    ObjectWriter::new().raw(EXTENSION, "{}").finish()
}

/// `requiredCapabilities` of error -32021 for a client that has not declared it.
pub fn required_capabilities() -> JsonText {
    ObjectWriter::new().raw("extensions", extensions().as_str()).finish()
}

/// How a legacy tool lends itself to tasks (2025-11-25, server/tools, "Tool": `execution.taskSupport`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskSupport {
    /// Not at all.
    #[default]
    Forbidden,
    /// It may become one.
    Optional,
    /// It must.
    Required,
}

impl TaskSupport {
    /// Reads `execution`; what cannot be read counts as absent.
    pub(crate) fn read(execution: &str) -> Self {
        let members = Members::parse(execution).unwrap_or_default();
        match members.get("taskSupport").and_then(string).as_deref() {
            Some("optional") => Self::Optional,
            Some("required") => Self::Required,
            _ => Self::Forbidden,
        }
    }
}

/// What is known of a task in whatever state.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// By which the client asks for it.
    pub id: &'a str,
    /// RFC 3339.
    pub created_at: &'a str,
    /// RFC 3339.
    pub updated_at: &'a str,
    /// What it is doing, for people: `statusMessage`. A failed one says its error instead.
    pub message: Option<&'a str>,
    /// How long it is kept after its creation, in ms.
    pub ttl_ms: u64,
    /// How often it is worth asking, in ms.
    pub poll_interval_ms: u64,
}

/// The state of a task.
#[derive(Clone, Copy, Debug)]
pub enum TaskState<'a> {
    /// It is being worked on.
    Working,
    /// It waits for the client: `inputRequests`, an object.
    InputRequired(&'a JsonText),
    /// The request's result, also one with `isError`.
    Completed(&'a RawValue),
    /// The request's JSON-RPC error.
    Failed(&'a RawValue),
    /// It was given up.
    Cancelled,
}

impl TaskState<'_> {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired(_) => "input_required",
            Self::Completed(_) => "completed",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The answer to the call that has become a task: without any of what a state adds.
pub fn created(task: &Task<'_>, state: &TaskState<'_>, server: &Implementation) -> JsonText {
    write("task", task, state).raw("_meta", server_meta_members(server).finish().as_str()).finish()
}

/// The answer to `tasks/get`.
pub fn detailed(task: &Task<'_>, state: &TaskState<'_>, server: &Implementation) -> JsonText {
    let writer = write("complete", task, state);
    let writer = match state {
        TaskState::Working | TaskState::Cancelled => writer,
        TaskState::InputRequired(requests) => writer.raw("inputRequests", requests.as_str()),
        TaskState::Completed(result) => writer.raw("result", result.get()),
        TaskState::Failed(error) => writer.raw("error", error.get()),
    };
    writer.raw("_meta", server_meta_members(server).finish().as_str()).finish()
}

fn write(result_type: &str, task: &Task<'_>, state: &TaskState<'_>) -> ObjectWriter {
    let failed = match state {
        TaskState::Failed(error) => {
            Members::read(error).and_then(|error| error.get("message").and_then(string))
        }
        _ => None,
    };
    ObjectWriter::new()
        .text("resultType", result_type)
        .text("taskId", task.id)
        .text("status", state.as_str())
        .text_some("statusMessage", failed.as_deref().or(task.message))
        .text("createdAt", task.created_at)
        .text("lastUpdatedAt", task.updated_at)
        .raw("ttlMs", &task.ttl_ms.to_string())
        .raw("pollIntervalMs", &task.poll_interval_ms.to_string())
}

/// The id of the task in a server's result; `None` when it has none.
pub fn id_of(result: &RawValue) -> Option<String> {
    Members::read(result)?.get("taskId").and_then(string).map(std::borrow::Cow::into_owned)
}

/// The same result with another id. One that has none is given none.
pub fn with_id(result: &RawValue, id: &str) -> Option<Box<RawValue>> {
    let members = Members::read(result)?;
    let write = |writer: ObjectWriter, (name, value): (&str, &RawValue)| match name {
        "taskId" => writer.text(name, id),
        _ => writer.raw(name, value.get()),
    };
    let text = members.iter().fold(ObjectWriter::new(), write).into_string();
    RawValue::from_string(text).ok()
}
