//! What status and headers of an answer mean.

use crate::jsonrpc::{self, Message, Outcome};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

/// Where the answer's message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// The body is one message.
    Json,
    /// The body is a stream of events ([`crate::sse::Decoder`]).
    EventStream,
    /// There is none: the notification or response was taken.
    Accepted,
    /// The status is no success: read a bounded body and ask [`classify_failure`].
    Failed,
    /// A success in a form that MCP does not know, such as a login page.
    Foreign,
}

/// Reads the head of an answer to a POST.
pub fn answer_form(status: StatusCode, headers: &HeaderMap) -> AnswerForm {
    if !status.is_success() {
        return AnswerForm::Failed;
    }
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => AnswerForm::Json,
        "text/event-stream" => AnswerForm::EventStream,
        _ if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) => AnswerForm::Accepted,
        _ => AnswerForm::Foreign,
    }
}

/// What a status other than success means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The session is gone: `initialize` again, then repeat the request, which was not carried out.
    SessionExpired,
    /// The body is a JSON-RPC error: read it with [`super::read`].
    Rpc,
    /// Credentials are missing, wrong or too weak (401, 403).
    Unauthorized,
    /// Try later (429, 503).
    Busy,
    /// Anything else.
    Status(StatusCode),
}

/// Classifies a failed answer to a request. `session` says whether the request carried a session id.
///
/// 404 to a request with a session means that it ended (2025-11-25, transports, "Session Management"). Some servers say
/// 400 instead. What is classified as expired is sent again, so a 400 counts only when it cannot come from a tool: it is
/// a JSON-RPC error, of a code that SDKs refuse sessions with, that answers no request by id, and its message begins as
/// theirs do.
pub fn classify_failure(status: StatusCode, body: &[u8], session: SentSession) -> Failure {
    match status {
        StatusCode::NOT_FOUND if session == SentSession::Yes => Failure::SessionExpired,
        StatusCode::BAD_REQUEST if session == SentSession::Yes && refuses_session(body) => {
            Failure::SessionExpired
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Failure::Busy,
        _ if is_rpc_error(body) => Failure::Rpc,
        _ => Failure::Status(status),
    }
}

/// Whether a request carried a session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentSession {
    /// It did.
    Yes,
    /// It did not.
    No,
}

/// Codes of a refused session: -32000 and -32001 (TypeScript SDK), -32600 (Python, Swift and Dart SDKs).
const SESSION_CODES: [i64; 3] = [-32_000, -32_001, -32_600];
/// What the Python SDK answers under when it has not read the request.
const UNREAD_REQUEST: &str = "\"server-error\"";
/// How a refusal of the session begins, after `Bad Request: `, in lower case.
const SESSION_REFUSALS: [&str; 18] = [
    "server not initialized",
    "no valid session",
    "no valid session id",
    "session not found",
    "session expired",
    "session has expired",
    "session id not found",
    "session id is required",
    "invalid session",
    "invalid session id",
    "invalid or missing session id",
    "invalid or expired session",
    "missing session id",
    "unknown session",
    "unknown session id",
    "unknown mcp-session-id",
    "invalid mcp-session-id",
    "mcp-session-id header",
];

/// Whether the server says that it does not know the session. It says so before it reads the request, so an error that
/// bears the request's id is a tool's or a method's own.
fn refuses_session(body: &[u8]) -> bool {
    let Ok(Message::Response { id, outcome: Outcome::Error(error) }) = jsonrpc::parse(body) else {
        return false;
    };
    let unread = id.is_none_or(|id| id.as_json() == UNREAD_REQUEST);
    unread && SESSION_CODES.contains(&error.code) && names_refused_session(&error.message)
}

fn names_refused_session(message: &str) -> bool {
    let message = message.trim().to_ascii_lowercase();
    let message = message.strip_prefix("bad request:").unwrap_or(&message).trim_start();
    SESSION_REFUSALS.iter().any(|refusal| {
        let after = message.strip_prefix(refusal);
        // After the id itself anything may be said of it; "invalid session room" is about something else.
        let clear =
            if refusal.ends_with("id") || refusal.ends_with("header") { [' '].as_slice() } else { &[] };
        after.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(['.', ':', ',', ';']) || rest.starts_with(clear)
        })
    })
}

fn is_rpc_error(body: &[u8]) -> bool {
    matches!(jsonrpc::parse(body), Ok(Message::Response { outcome: Outcome::Error(_), .. }))
}
