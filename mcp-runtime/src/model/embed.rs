//! Texts to vectors: asked of a provider for the runtime's own use. No client's request comes this way.

use super::{
    answer::{Problem, table},
    forward::{Draft, Endpoint},
};
use crate::{
    egress::{Egress, read_whole},
    outgoing::{Behalf, SendError},
};
use http::{HeaderValue, StatusCode};
use mcpfleet_config::Provider;
use mcpfleet_llm::{choose, embeddings};
use std::time::Duration;
use tokio::time::timeout;

/// Largest answer, in bytes: 64 vectors of 8,192 numbers.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Why there are no vectors. A model may read it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoVectors(pub String);

/// The vectors of `texts`, at most [`embeddings::MAX_TEXTS`], each of length 1.
///
/// # Errors
/// [`NoVectors`]: no provider has the model, or it does not answer as it should within its own timeout.
pub async fn embed(
    providers: &[Provider],
    behalf: &Behalf<'_>,
    egress: &Egress,
    (model, texts): (&str, &[String]),
) -> Result<Vec<Vec<f32>>, NoVectors> {
    let say = |problem: Problem| NoVectors(table(problem).1.message);
    let provider = choose(providers, model).map_err(|error| say(Problem::Choose(error)))?;
    let source = behalf.source(&provider.headers).map_err(|missing| say(Problem::Credential(missing)))?;
    let body = embeddings::request(model, texts).into();
    let draft = Draft::of(provider, Endpoint::Embeddings, HeaderValue::from_static("application/json"), body);
    let draft = draft.map_err(say)?;
    let after = Duration::from_millis(provider.timeout_ms);
    let asking = async {
        let sent = source.send(egress, behalf.caller, |own| draft.request(egress, own)).await;
        let response = sent.map_err(|error| say(failed(provider, error)))?;
        if response.status() != StatusCode::OK {
            let status = response.status();
            return Err(NoVectors(format!("provider {:?} answers {status}", provider.name)));
        }
        let body = read_whole(response, MAX_ANSWER).await;
        let body = body.map_err(|error| say(failed(provider, SendError::Egress(error))))?;
        embeddings::read(&body, texts.len()).map_err(|why| {
            NoVectors(format!("the answer of provider {:?} is of no use: {why}", provider.name))
        })
    };
    let late = || say(Problem::Timeout { provider: provider.name.clone(), after });
    timeout(after, asking).await.unwrap_or_else(|_| Err(late()))
}

fn failed(provider: &Provider, error: SendError) -> Problem {
    match error {
        SendError::Credential(error) => Problem::Credential(error),
        SendError::Egress(error) => Problem::Egress { provider: provider.name.clone(), error },
    }
}
