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

/// What a provider is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Chat,
    Embeddings,
}

impl Endpoint {
    const fn path(self, api: ProviderApi) -> &'static str {
        match (api, self) {
            (ProviderApi::OpenAI, Self::Chat) => "/chat/completions",
            (ProviderApi::OpenAI, Self::Embeddings) => "/embeddings",
        }
    }
}

/// A request without its credentials.
#[derive(Debug)]
pub(super) struct Draft {
    url: Url,
    accept: HeaderValue,
    body: Bytes,
}

impl Draft {
    pub(super) fn of(
        provider: &Provider,
        endpoint: Endpoint,
        accept: HeaderValue,
        body: Bytes,
    ) -> Result<Self, Problem> {
        let path = endpoint.path(provider.api);
        let url = Url::parse(&format!("{}{path}", provider.base_url))
            .map_err(|_| Problem::BaseUrl { provider: provider.name.clone() })?;
        Ok(Self { url, accept, body })
    }

    pub(super) fn request(&self, egress: &Egress, own: HeaderMap) -> RequestBuilder {
        let request = egress.request(Method::POST, self.url.clone());
        let request = request.header(CONTENT_TYPE, "application/json").header(ACCEPT, self.accept.clone());
        request.headers(own).body(self.body.clone())
    }
}
