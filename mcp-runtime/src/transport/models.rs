//! `/v1/*`: model calls, through the same admission as tools.

use super::{answer::json, held::hold};
use crate::{
    admission::Refused,
    catalog::Snapshot,
    model::{self, Body},
    server::Server,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use serde_json::json as value;
use std::time::Duration;

/// Answers `POST /v1/chat/completions`. The permit is held until a stream ends.
pub async fn chat(server: &Server, snapshot: &Snapshot, headers: &HeaderMap, body: Bytes) -> Response<Body> {
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
    let response =
        model::chat_completions(providers, &parts.credentials, &server.egress, headers, body).await;
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
