//! HTTP answers: JSON-RPC messages in the form that the client takes, refusals, and what a failed call says.
//!
//! | [`CallError`] | HTTP | MCP |
//! |---|---|---|
//! | `UnknownTool` | 200 | error -32602 |
//! | `NotAllowed` | 401 or 403, `WWW-Authenticate` | (none: the challenge is HTTP's) |
//! | `InvalidArguments`, `Timeout`, `Unavailable` | 200 | result with `isError`, for the model to read |
//! | `Busy` | 503, `Retry-After` | error -31503 |
//! | (no room for a stream) | 503, `Retry-After` | error -31503 |
//! | `Upstream` | 200 | the upstream's error |

use crate::{
    call::{CallError, Outcome, ToolResult},
    model::Body,
};
use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full};
use mcpfleet_protocol::{
    Era, ErrorCode,
    answer::{CallResult, Content, Implementation, ToolOutcome, forward_result},
    json::JsonText,
    jsonrpc::{self, Id},
    server::{Accepts, Reason, Refusal},
    sse,
};
use serde_json::{Value, json, value::to_raw_value};
use std::time::Duration;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
/// Tells proxies to hand on each event as it comes (2026-07-28, streamable HTTP, "Receiving Messages").
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// A place for a stream is free when some client leaves, which no one can foresee.
const STREAM_RETRY: Duration = Duration::from_secs(5);

/// Who asks, and in which form the answer goes back.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request's id.
    pub id: &'a Id<'a>,
    /// The era of the answer.
    pub era: Era,
    /// Forms that the client takes.
    pub accepts: Accepts,
}

/// A body of these bytes.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// An answer of one media type.
pub fn with_type(status: StatusCode, media: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

/// A JSON document.
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    with_type(status, JSON, full(body))
}

/// Events that are sent as they happen.
pub fn event_stream(body: Body) -> Response<Body> {
    let mut response = with_type(StatusCode::OK, EVENT_STREAM, body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    response
}

/// 503: all `max` notification streams are open. `id` when a request asked for one.
pub fn no_stream(id: Option<&Id<'_>>, max: u32) -> Response<Body> {
    let seconds = STREAM_RETRY.as_secs();
    let why =
        format!("all {max} notification streams (admission.maxStreams) are open; try again in {seconds} s");
    overloaded(id, &why, STREAM_RETRY)
}

/// 503: nothing was done, and it may be repeated after `retry_after`.
fn overloaded(id: Option<&Id<'_>>, why: &str, retry_after: Duration) -> Response<Body> {
    let data = JsonText::from(&json!({"retryAfterSeconds": retry_after.as_secs()}));
    let body = jsonrpc::error(id, ErrorCode::Overloaded, why, Some(&data));
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, body);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs()));
    response
}

/// 202 without a body: a notification was taken.
pub fn accepted() -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// A refusal of the protocol's.
pub fn refusal(refusal: &Refusal) -> Response<Body> {
    let mut response = json(refusal.status(), refusal.body());
    if let Some(allow) = refusal.allow() {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    }
    response
}

impl Asked<'_> {
    /// A success.
    pub fn success(&self, result: &JsonText) -> Response<Body> {
        self.message(jsonrpc::success(self.id, result))
    }

    /// What a call came to.
    pub fn called(&self, result: Result<Outcome, CallError>, server: &Implementation) -> Response<Body> {
        let failure = match result {
            Ok(Outcome::Made(result)) => return self.success(&write(&result, self.era, server)),
            Ok(Outcome::Forwarded(result)) => match forward_result(&result, self.era) {
                Ok(result) => return self.success(&result),
                Err(error) => {
                    ToolResult::failure(format!("The tool's server gave no usable result: {error}."))
                }
            },
            Err(error) => match self.refused(&error) {
                Some(response) => return response,
                None => ToolResult::failure(advice(&error)),
            },
        };
        self.success(&write(&failure, self.era, server))
    }

    /// The errors that are no results.
    fn refused(&self, error: &CallError) -> Option<Response<Body>> {
        match error {
            CallError::UnknownTool { .. } => {
                let why = Refusal::new(Reason::InvalidParams, Some(self.id), error.to_string());
                Some(refusal(&why))
            }
            CallError::NotAllowed { challenge } => Some(challenge.response()),
            CallError::Busy { retry_after, .. } => {
                Some(overloaded(Some(self.id), &error.to_string(), *retry_after))
            }
            CallError::Upstream { code, message, data } => {
                let mut object = json!({"code": code, "message": message});
                if let (Some(data), Some(members)) = (data, object.as_object_mut()) {
                    members.insert("data".into(), serde_json::from_str(data.get()).unwrap_or(Value::Null));
                }
                let raw = to_raw_value(&object).ok()?;
                Some(self.message(jsonrpc::forwarded_error(self.id, &raw)))
            }
            CallError::InvalidArguments { .. }
            | CallError::Timeout { .. }
            | CallError::Unavailable { .. } => None,
        }
    }

    fn message(&self, message: Bytes) -> Response<Body> {
        if self.accepts != Accepts::EventStreamOnly {
            return json(StatusCode::OK, message);
        }
        let event = sse::encode(&String::from_utf8_lossy(&message), None);
        with_type(StatusCode::OK, EVENT_STREAM, full(event))
    }
}

fn write(result: &ToolResult, era: Era, server: &Implementation) -> JsonText {
    let outcome = if result.is_error { ToolOutcome::Failed } else { ToolOutcome::Done };
    let structured =
        result.structured.as_ref().map(|members| JsonText::from(&Value::Object(members.clone())));
    let content = vec![Content::Text(result.text.clone())];
    CallResult { content, structured, outcome }.write(era, server)
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
