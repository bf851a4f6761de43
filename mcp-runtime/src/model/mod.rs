//! `/v1/*`: model calls passed through to the provider that answers for the model.
//!
//! ```text
//! body -> mcpfleet_llm::inspect -> choose -> forward (headers of the provider, body untouched)
//!      -> relay (status, a few headers, the body chunk by chunk) -> client
//! ```
//! The client's own headers end here: its key opens this server and is nobody else's business.

mod answer;
mod embed;
mod forward;
mod relay;

pub use answer::{too_large, wrong_method};
pub use embed::{NoVectors, embed};

use crate::{egress::Egress, outgoing::Behalf};
use answer::Problem;
use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::combinators::UnsyncBoxBody;
use mcpfleet_config::Provider;
use mcpfleet_llm::{choose, inspect, openai};

/// Body of every answer of ours; a stream is handed on chunk by chunk.
pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Answers `POST /v1/chat/completions`. `body` is complete and within the caller's size bound. Errors come in
/// OpenAI's shape `{"error": {"message", "type", "param", "code"}}`.
pub async fn chat_completions(
    providers: &[Provider],
    behalf: &Behalf<'_>,
    egress: &Egress,
    headers: &HeaderMap,
    body: Bytes,
) -> Response<Body> {
    match chat(providers, behalf, egress, headers, body).await {
        Ok(response) => response,
        Err(problem) => answer::problem(problem),
    }
}

async fn chat(
    providers: &[Provider],
    behalf: &Behalf<'_>,
    egress: &Egress,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, Problem> {
    let inspected = inspect(&body).map_err(Problem::BadRequest)?;
    let provider = choose(providers, &inspected.model).map_err(Problem::Choose)?;
    let wanted = inspected.answer;
    let source = behalf.source(&provider.headers).map_err(Problem::Credential)?;
    let accept = forward::accept(headers, wanted);
    let draft = forward::Draft::of(provider, forward::Endpoint::Chat, accept, body.clone())?;
    let sending = source.send(egress, behalf.caller, |own| draft.request(egress, own));
    relay::relay(provider, sending).await
}

/// Answers `GET /v1/models`.
pub fn models(providers: &[Provider]) -> Response<Body> {
    answer::json(http::StatusCode::OK, openai::models(providers))
}
