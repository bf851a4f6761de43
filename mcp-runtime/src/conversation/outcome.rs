//! What work came to, as the message that a client of some revision reads.
//!
//! | [`CallError`] | HTTP | `tools/call` | other methods |
//! |---|---|---|---|
//! | `Unknown` | 200 | error -32602 | error -32602; a resource: -32002 in the legacy revisions |
//! | `NotAllowed` | 401 or 403, `WWW-Authenticate` | error -31403 | the same |
//! | `InvalidArguments` | 200 | result with `isError`, for the model to read | error -32602 |
//! | `Timeout` | 200 | result with `isError` | error -31504 |
//! | `Unavailable` | 200 | result with `isError` | error -31502 |
//! | `Busy` | 503, `Retry-After` | error -31503 | the same |
//! | `Upstream` | 200 | the upstream's error, in the revision's own codes | the same |

use super::{Answered, Client};
use crate::{
    call::{CallError, Outcome, ToolResult},
    exchange::Ask,
};
use http::StatusCode;
use mcpfleet_protocol::{
    Era, ErrorCode,
    answer::{
        CachePolicy, CallResult, Content, Forward, Implementation, ToolOutcome, forward_result,
        translate_error,
    },
    json::JsonText,
    jsonrpc::{self, Id, RpcError},
};
use serde_json::{Value, json, value::to_raw_value};

/// Writes the answer to one request.
pub(super) struct Written<'a> {
    pub(super) id: &'a Id<'a>,
    pub(super) client: &'a Client,
    pub(super) server: &'a Implementation,
}

impl Written<'_> {
    pub(super) fn answer(&self, ask: &Ask, result: Result<Outcome, CallError>) -> Answered {
        match result {
            Ok(Outcome::Made(result)) => self.made(&result),
            Ok(Outcome::Forwarded(result)) => {
                let forward = Forward {
                    method: ask.kind(),
                    to: self.client.revision,
                    server: self.server,
                    cache: CachePolicy::UNKNOWN,
                };
                match forward_result(&result, &forward) {
                    Ok(result) => Answered::success(self.id, &result),
                    Err(error) => {
                        let message = format!("The server behind it gave no usable result: {error}.");
                        self.failed(ask, CallError::Unavailable { message })
                    }
                }
            }
            // Those who ask back and those who seal ids have taken these.
            Ok(Outcome::InputRequired { .. } | Outcome::Task(_)) => Answered::broken(),
            Err(error) => self.failed(ask, error),
        }
    }

    fn made(&self, result: &ToolResult) -> Answered {
        let outcome = if result.is_error { ToolOutcome::Failed } else { ToolOutcome::Done };
        let structured = result.structured.as_ref().map(|it| JsonText::from(&Value::Object(it.clone())));
        let content = vec![Content::Text(result.text.clone())];
        let result = CallResult { content, structured, outcome };
        Answered::success(self.id, &result.write(self.client.revision, self.server))
    }

    fn failed(&self, ask: &Ask, error: CallError) -> Answered {
        let text = error.to_string();
        match error {
            CallError::Unknown { kind, .. } => {
                let code = kind.not_found(self.client.era());
                Answered::error(self.id, code, &text)
            }
            CallError::NotAllowed { challenge } => Answered {
                challenge: Some(challenge),
                ..Answered::error(self.id, ErrorCode::Forbidden, &text)
            },
            CallError::Busy { retry_after, .. } => Answered::busy(self.id, &text, retry_after),
            CallError::Upstream { code, message, data, from } => {
                let mut object = json!({"code": code, "message": message});
                if let (Some(data), Some(members)) = (&data, object.as_object_mut()) {
                    members.insert("data".into(), serde_json::from_str(data.get()).unwrap_or_default());
                }
                let Ok(raw) = to_raw_value(&object) else { return Answered::broken() };
                let error = RpcError { code, message: message.into(), data: data.as_deref(), raw: &raw };
                let error = translate_error(&error, ask.kind(), from, self.client.revision);
                let status = match ErrorCode::from_number(code) {
                    Some(ErrorCode::MissingRequiredClientCapability) if self.client.era() == Era::Modern => {
                        StatusCode::BAD_REQUEST
                    }
                    _ => StatusCode::OK,
                };
                Answered { status, ..Answered::message(jsonrpc::forwarded_error(self.id, &error)) }
            }
            _ if matches!(ask, Ask::CallTool { .. }) => self.made(&ToolResult::failure(advice(&error))),
            CallError::InvalidArguments { .. } => Answered::error(self.id, ErrorCode::InvalidParams, &text),
            CallError::Timeout { .. } => Answered::error(self.id, ErrorCode::DeadlineExceeded, &text),
            CallError::Unavailable { .. } => Answered::error(self.id, ErrorCode::UpstreamFailed, &text),
        }
    }
}

/// What a model should read: what went wrong, and what it can do.
fn advice(error: &CallError) -> String {
    let what_next = match error {
        CallError::InvalidArguments { .. } => "Correct the arguments and call it again.",
        CallError::Timeout { .. } => {
            "It may or may not have done its work: check before you call it again, or tell the user that it is slow."
        }
        _ => return error.to_string(),
    };
    format!("{error}. {what_next}")
}
