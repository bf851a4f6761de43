//! `/v1/*`: model calls passed through to the provider that answers for the model.

use crate::{credentials::Credentials, egress::Egress};
use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::combinators::UnsyncBoxBody;
use mcpfleet_config::Provider;
use mcpfleet_llm as _;

/// Body of every answer of ours; a stream is handed on chunk by chunk.
pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Answers `POST /v1/chat/completions`. `body` is complete and within the caller's size bound. Errors come in
/// OpenAI's shape `{"error": {"message", "type", "param", "code"}}`.
pub async fn chat_completions(
    providers: &[Provider],
    credentials: &Credentials,
    egress: &Egress,
    headers: &HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let _ = (providers, credentials, egress, headers, body);
    Response::new(Body::default())
}

/// Answers `GET /v1/models`.
pub fn models(providers: &[Provider]) -> Response<Body> {
    let _ = providers;
    Response::new(Body::default())
}
