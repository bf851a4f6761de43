//! The request to a provider: its own headers and the client's body, byte for byte.

use super::answer::Problem;
use crate::egress::Egress;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, CONTENT_TYPE},
};
use mcpfleet_config::{Provider, ProviderApi};
use mcpfleet_llm::Answer;
use reqwest::{RequestBuilder, Url};

/// What the client accepts, or what its request implies. Nothing else of its headers goes on: not its
/// `Authorization`, `x-api-key` or cookies, and not its `accept-encoding`, for the stream is read on its way.
pub(super) fn accept(client: &HeaderMap, wanted: Answer) -> HeaderValue {
    client.get(ACCEPT).cloned().unwrap_or(match wanted {
        Answer::Streamed => HeaderValue::from_static("text/event-stream"),
        Answer::Whole => HeaderValue::from_static("application/json"),
    })
}

pub(super) fn request(
    provider: &Provider,
    egress: &Egress,
    accept: HeaderValue,
    own: HeaderMap,
    body: Bytes,
) -> Result<RequestBuilder, Problem> {
    let path = match provider.api {
        ProviderApi::OpenAI => "/chat/completions",
    };
    let url = Url::parse(&format!("{}{path}", provider.base_url))
        .map_err(|_| Problem::BaseUrl { provider: provider.name.clone() })?;
    let request = egress.request(Method::POST, url);
    Ok(request.header(CONTENT_TYPE, "application/json").header(ACCEPT, accept).headers(own).body(body))
}
