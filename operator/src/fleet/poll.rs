//! Asking.

use super::{Answer, Fleet, MAX_MISSES};
use crate::{
    children::ADMIN_PORT,
    context::Context,
    error::Error,
    queue::Next,
    world::{Endpoint, Key, Touched},
};
use futures::{StreamExt, stream};
use mcpfleet_config::status::PodStatus;
use mcpfleet_crds::{compile::Kind, v1alpha1::McpServer};
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// Pause between two questions at rest.
const AT_REST: Duration = Duration::from_secs(5);
/// The same while something is pending.
const CLOSELY: Duration = Duration::from_secs(1);
/// Pods of one server that are asked at once.
const AT_ONCE: usize = 32;
/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// Asks all pods of one server, and has it looked at when an answer is news.
///
/// # Errors
/// None: a pod that does not answer is an answer.
pub async fn poll(context: Arc<Context>, server: Key) -> Result<Next, Error> {
    if context.world.objects.get::<McpServer>(&server).is_none() {
        context.fleet.forget(&server);
        return Ok(Next::AwaitChange);
    }
    let endpoints = context.world.endpoints(&server);
    let mut answers: Vec<Answer> = stream::iter(endpoints)
        .map(|endpoint| ask(&context, endpoint))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    answers.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    if context.fleet.keep(&server, answers) {
        let mut touched = Touched::only(Kind::McpServer, server.clone());
        // Members report missing credentials, and whether they have arrived in the pods.
        if let Some(compilation) = context.compile(&server) {
            touched.add_members(&compilation);
        }
        context.enqueue(touched);
    }
    Ok(Next::After(context.fleet.pause(&server)))
}

async fn ask(context: &Context, endpoint: Endpoint) -> Answer {
    let Ok(port) = u16::try_from(ADMIN_PORT) else { return Answer { endpoint, status: None } };
    let url = format!("http://{}/status", SocketAddr::new(endpoint.address, port));
    let status = read(&context.fleet.http, &url).await;
    context.metrics.count_poll(status.is_ok());
    let status = status.inspect_err(|error| tracing::debug!(pod = %endpoint.pod, %error, "no answer")).ok();
    Answer { endpoint, status }
}

async fn read(http: &reqwest::Client, url: &str) -> anyhow::Result<PodStatus> {
    let mut response = http.get(url).send().await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        anyhow::ensure!(body.len() + chunk.len() <= MAX_ANSWER, "the answer is too long");
        body.extend_from_slice(&chunk);
    }
    Ok(serde_json::from_slice(&body)?)
}

impl Fleet {
    /// Keeps the answers; returns whether they are news.
    fn keep(&self, server: &Key, mut answers: Vec<Answer>) -> bool {
        let mut state = self.state();
        let known = state.answers.get(server).cloned();
        for answer in &mut answers {
            let miss = (server.clone(), answer.endpoint.pod.clone());
            if answer.status.is_some() {
                state.misses.remove(&miss);
                continue;
            }
            let misses = state.misses.entry(miss).or_default();
            *misses = misses.saturating_add(1);
            if *misses < MAX_MISSES {
                let mut before = known.iter().flat_map(|known| known.iter());
                let before = before.find(|before| before.endpoint.pod == answer.endpoint.pod);
                answer.status = before.and_then(|before| before.status.clone());
            }
        }
        state
            .misses
            .retain(|(of, pod), _| of != server || answers.iter().any(|answer| answer.endpoint.pod == *pod));
        let news = state.answers.get(server).is_none_or(|known| **known != answers);
        if news {
            state.answers.insert(server.clone(), Arc::new(answers));
        }
        news
    }

    fn pause(&self, server: &Key) -> Duration {
        if self.state().close.contains(server) { CLOSELY } else { AT_REST }
    }
}
