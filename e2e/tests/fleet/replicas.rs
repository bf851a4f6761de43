//! Any replica answers: clients of both eras behind a Service without affinity, while a pod is killed, all are replaced and
//! some are taken away. A call is answered, or its client is told that nobody knows; none runs twice.

use crate::shop::{opened, pods, ran};
use mcpfleet_crds::v1alpha1::McpServer;
use mcpfleet_e2e::harness::{Fleet, eventually};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::task::JoinHandle;

/// Callers of each era.
const CALLERS: usize = 3;

/// A client that has a new connection for each request, so that any replica may get it.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    url: String,
    /// Of a legacy client.
    session: Option<String>,
}

/// What became of a call.
enum Fate {
    Answered,
    /// Its client was told that it may have run, or saw its connection break.
    Unknown,
}

impl Client {
    fn modern(url: &str) -> Self {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Self { http, url: url.to_owned(), session: None }
    }

    async fn legacy(url: &str) -> Self {
        let client = Self::modern(url);
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "e2e", "version": "1"}});
        let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let reply = client.post(&hello).send().await.unwrap();
        let session = reply.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        Self { session: Some(session), ..client }
    }

    fn post(&self, message: &Value) -> reqwest::RequestBuilder {
        let post =
            self.http.post(&self.url).header("accept", "application/json, text/event-stream").json(message);
        match &self.session {
            Some(session) => {
                post.header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25")
            }
            None => post,
        }
    }

    fn message(&self, call: usize) -> Value {
        let mut params = json!({"name": "slow", "arguments": {"ms": 100, "call": call}});
        if self.session.is_none() {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        json!({"jsonrpc": "2.0", "id": call, "method": "tools/call", "params": params})
    }

    async fn call(&self, call: usize) -> Fate {
        let mut post = self.post(&self.message(call));
        if self.session.is_none() {
            post = post
                .header("mcp-protocol-version", "2026-07-28")
                .header("mcp-method", "tools/call")
                .header("mcp-name", "slow");
        }
        let text = loop {
            match post.try_clone().unwrap().send().await {
                Ok(reply) => match reply.text().await {
                    Ok(text) => break text,
                    Err(_) => return Fate::Unknown,
                },
                // The Service still named a pod that is gone: nothing was sent.
                Err(error) if error.is_connect() => {}
                Err(_) => return Fate::Unknown,
            }
        };
        if text.contains("may have been carried out") {
            return Fate::Unknown;
        }
        let last = text.lines().rev().find_map(|line| line.strip_prefix("data: ")).unwrap_or(&text);
        let answer: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(answer["id"], call, "{answer}");
        assert!(answer["result"]["content"].is_array() && answer["result"]["isError"] != true, "{answer}");
        Fate::Answered
    }
}

/// Callers that never rest.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    callers: Vec<JoinHandle<(Vec<usize>, Vec<usize>)>>,
}

impl Load {
    async fn start(url: &str) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            for client in [Client::legacy(url).await, Client::modern(url)] {
                let (stop, counted, first) = (stop.clone(), answered.clone(), callers.len() * 1_000_000);
                callers.push(tokio::spawn(async move {
                    let (mut answered, mut unknown) = (Vec::new(), Vec::new());
                    for call in first.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        match client.call(call).await {
                            Fate::Answered => answered.push(call),
                            Fate::Unknown => unknown.push(call),
                        }
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                    (answered, unknown)
                }));
            }
        }
        Self { stop, answered, callers }
    }

    async fn go_on(&self) {
        let goal = self.answered.load(Ordering::Relaxed) + 4 * CALLERS;
        eventually("calls are answered", || async {
            let answered = self.answered.load(Ordering::Relaxed);
            if answered >= goal { Ok(()) } else { Err(answered) }
        })
        .await;
    }

    /// Calls that were answered, and those of which nobody knows.
    async fn stop(self) -> (BTreeSet<usize>, BTreeSet<usize>) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut answered, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        for caller in self.callers {
            let (of_one, lost) = caller.await.unwrap();
            answered.extend(of_one);
            unknown.extend(lost);
        }
        (answered, unknown)
    }
}

async fn until_left(fleet: &Fleet, what: &str, enough: impl Fn(&BTreeSet<String>) -> bool) {
    eventually(what, || async {
        let left = pods(fleet).await;
        if enough(&left) { Ok(()) } else { Err(left) }
    })
    .await;
    fleet.server_condition("shop", "Ready", "True").await;
}

async fn shop(test: &str) -> (Fleet, Load) {
    let fleet = opened(test, 3).await;
    let load = Load::start(&format!("{}/mcp", fleet.service_url("shop").await.unwrap())).await;
    load.go_on().await;
    (fleet, load)
}

/// Nothing ran twice, and what ran is known to its client or said to be unknown.
async fn settle(fleet: Fleet, load: Load, may_be_unknown: usize) {
    let (answered, unknown) = load.stop().await;
    let ran = ran(&fleet).await;
    let once: BTreeSet<usize> = ran.iter().copied().collect();
    assert_eq!(once.len(), ran.len(), "a call ran twice");
    assert!(answered.is_subset(&once), "a call was answered that never ran");
    let silent: BTreeSet<_> = once.difference(&answered).filter(|call| !unknown.contains(call)).collect();
    assert!(silent.is_empty(), "calls ran and nobody was told: {silent:?}");
    assert!(unknown.len() <= may_be_unknown, "{unknown:?}");
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn a_pod_that_is_killed_costs_the_calls_that_were_there_and_no_session() {
    let (fleet, load) = shop("killed").await;
    let killed = pods(&fleet).await.pop_first().unwrap();
    fleet.kubectl(&["delete", "pod", &killed, "--grace-period=0", "--force"]).await.unwrap();
    until_left(&fleet, "another pod has taken its place", |left| left.len() == 3 && !left.contains(&killed))
        .await;
    load.go_on().await;
    // Each caller has one call at a time.
    settle(fleet, load, 2 * CALLERS).await;
}

#[tokio::test]
async fn a_rollout_and_a_scale_in_cost_nothing() {
    let (fleet, load) = shop("replaced").await;
    let old = pods(&fleet).await;
    fleet.kubectl(&["rollout", "restart", "deployment/shop"]).await.unwrap();
    until_left(&fleet, "every old pod is gone", |left| left.is_disjoint(&old)).await;
    load.go_on().await;
    fleet.patch::<McpServer>("shop", json!({"spec": {"replicas": 1}})).await.unwrap();
    until_left(&fleet, "one pod is left", |left| left.len() == 1).await;
    load.go_on().await;
    settle(fleet, load, 0).await;
}
