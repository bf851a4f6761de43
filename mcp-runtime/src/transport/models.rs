//! `/v1/*`: model calls, through the same admission as tools.

use super::{answer::json, held::hold};
use crate::{
    admission::Refused,
    catalog::Snapshot,
    identity::{Challenge, Principal},
    model::{self, Body},
    outgoing::Behalf,
    server::Server,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use serde_json::json as value;
use std::time::Duration;

/// Answers `POST /v1/chat/completions`. The permit is held until a stream ends.
pub async fn chat(
    server: &Server,
    snapshot: &Snapshot,
    caller: &Principal,
    headers: &HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let timer = snapshot.models().start();
    let permit = match server.admission.admit(None).await {
        Ok(permit) => permit,
        Err(refused) => {
            timer.finish_as("busy");
            return busy(refused);
        }
    };
    let parts = &snapshot.parts;
    let providers = &parts.config.providers;
    let behalf = Behalf { credentials: &parts.credentials, signer: &server.signer, caller: Some(caller) };
    let response = model::chat_completions(providers, &behalf, &server.egress, headers, body).await;
    timer.finish_as(if response.status().is_success() { "ok" } else { "upstream" });
    response.map(|body| hold(body, Some(permit)))
}

/// Answers `GET /v1/models`.
pub fn list(snapshot: &Snapshot) -> Response<Body> {
    model::models(&snapshot.parts.config.providers)
}

/// An error in OpenAI's shape.
pub fn error(status: StatusCode, message: &str, code: &str) -> Response<Body> {
    let kind = if status.is_server_error() { "server_error" } else { "invalid_request_error" };
    let body = value!({"error": {"message": message, "type": kind, "param": null, "code": code}});
    json(status, body.to_string())
}

/// A browser page that may not call, in OpenAI's shape.
pub fn foreign_origin(refusal: &mcpfleet_protocol::server::Refusal) -> Response<Body> {
    error(refusal.status(), refusal.message(), refusal.reason().label())
}

/// A caller that is not let in, in OpenAI's shape.
pub fn not_let_in(challenge: &Challenge) -> Response<Body> {
    challenge.dress(error(challenge.status(), challenge.message(), challenge.label()))
}

/// A caller that is limited to tools, and models are none of them.
pub fn out_of_reach() -> Response<Body> {
    let message =
        "this key is limited to tools, and /v1 is none of them: ask for one whose `tools` allow /v1/*";
    error(StatusCode::FORBIDDEN, message, "not_allowed")
}

fn busy(refused: Refused) -> Response<Body> {
    let retry_after = match refused {
        Refused::QueueFull { retry_after } | Refused::WaitedTooLong { retry_after } => retry_after,
        Refused::DeadlinePassed => Duration::from_secs(1),
    };
    let message = format!("the server is at its capacity; try again in {} s", retry_after.as_secs());
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, &message, "overloaded");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs()));
    response
}
