//! HTTP answers: JSON-RPC messages in the form that the client takes, and refusals.

use crate::{conversation::Answered, model::Body, peer::PeerError};
use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full};
use mcpfleet_protocol::{
    ErrorCode,
    json::JsonText,
    jsonrpc::{self, Id},
    server::{Accepts, Refusal},
    sse,
};
use serde_json::json;
use std::time::Duration;

use super::held::hold;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
/// Tells proxies to hand on each event as it comes (2026-07-28, streamable HTTP, "Receiving Messages").
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// A place for a stream is free when some client leaves, which no one can foresee.
const STREAM_RETRY: Duration = Duration::from_secs(5);

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
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, no_stream_message(id, max));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(STREAM_RETRY.as_secs()));
    response
}

/// The same as a message.
pub fn no_stream_message(id: Option<&Id<'_>>, max: u32) -> Bytes {
    let seconds = STREAM_RETRY.as_secs();
    let why =
        format!("all {max} notification streams (admission.maxStreams) are open; try again in {seconds} s");
    let data = JsonText::from(&json!({"retryAfterSeconds": seconds}));
    jsonrpc::error(id, ErrorCode::Overloaded, &why, Some(&data))
}

/// A whole JSON-RPC response, in a form that the client takes.
pub fn answered(answered: Answered, accepts: Accepts) -> Response<Body> {
    let Answered { message, status, retry_after, permit, challenge } = answered;
    let mut response = if accepts == Accepts::EventStreamOnly && status == StatusCode::OK {
        with_type(status, EVENT_STREAM, full(sse::encode(&String::from_utf8_lossy(&message), None)))
    } else {
        json(status, message)
    };
    if let Some(after) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_secs()));
    }
    if let Some(challenge) = challenge {
        response = challenge.dress(response);
    }
    response.map(|body| hold(body, permit))
}

/// Another replica was asked in vain.
pub fn peer_failed(error: &PeerError) -> Response<Body> {
    let why = format!("this session or request is held by another replica: {error}");
    match error {
        PeerError::Busy { .. } | PeerError::Unreachable { .. } => overloaded(&why),
        PeerError::Interrupted { .. } => {
            let text = format!("{why}; it may have been carried out");
            json(StatusCode::BAD_GATEWAY, jsonrpc::error(None, ErrorCode::InternalError, &text, None))
        }
    }
}

/// To another replica: what it asks for is not held here.
pub fn misdirected() -> Response<Body> {
    empty(StatusCode::MISDIRECTED_REQUEST)
}

/// Whoever should hear this cannot be reached now.
pub fn not_heard() -> Response<Body> {
    overloaded("the replica that holds this session cannot be reached now; try again")
}

fn overloaded(why: &str) -> Response<Body> {
    let data = JsonText::from(&json!({"retryAfterSeconds": 1}));
    let body = jsonrpc::error(None, ErrorCode::Overloaded, why, Some(&data));
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, body);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// A fault of ours.
pub fn broken() -> Response<Body> {
    let answer = Answered::broken();
    json(answer.status, answer.message)
}

/// A status and nothing else.
pub fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// 202 without a body: a notification was taken.
pub fn accepted() -> Response<Body> {
    empty(StatusCode::ACCEPTED)
}

/// A refusal of the protocol's.
pub fn refusal(refusal: &Refusal) -> Response<Body> {
    let mut response = json(refusal.status(), refusal.body());
    if let Some(allow) = refusal.allow() {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    }
    response
}
