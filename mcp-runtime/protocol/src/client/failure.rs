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
/// 404 to a request with a session means that it ended (2025-11-25, transports, "Session Management"). Servers that
/// lost their memory say 400 and speak of a session or of a missing `initialize`.
pub fn classify_failure(status: StatusCode, body: &[u8], session: SentSession) -> Failure {
    match status {
        StatusCode::NOT_FOUND if session == SentSession::Yes => Failure::SessionExpired,
        StatusCode::BAD_REQUEST if session == SentSession::Yes && speaks_of_session(body) => {
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

fn speaks_of_session(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    text.contains("session") || text.contains("not initialized")
}

fn is_rpc_error(body: &[u8]) -> bool {
    matches!(jsonrpc::parse(body), Ok(Message::Response { outcome: Outcome::Error(_), .. }))
}
