//! What upstreams tell of changes, and how they are asked to.

use crate::{
    mcp::{connected, count, legacy, method, pool, result, roster_until, tool, upstream},
    server::{Answer, Seen, Server, full, streamed},
    speech::{Sender, says},
};
use mcpfleet_runtime::upstream::Updated;
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{mpsc, watch};

fn changed(what: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": format!("notifications/{what}/list_changed")})
}

fn updated(uri: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}})
}

/// A legacy server with news: what it offers is counted up, and its GET streams are the test's.
struct Newsroom {
    server: Server,
    streams: watch::Receiver<usize>,
    latest: Arc<Mutex<Option<Sender>>>,
    tools: Arc<AtomicUsize>,
}

impl Newsroom {
    async fn start() -> Self {
        let (opened, streams) = watch::channel(0);
        let (latest, tools) = (Arc::<Mutex<Option<Sender>>>::default(), Arc::new(AtomicUsize::new(1)));
        let server = Server::start({
            let (latest, tools) = (latest.clone(), tools.clone());
            move |seen| {
                let (latest, tools, opened) = (latest.clone(), tools.clone(), opened.clone());
                async move { newsroom(&seen, &latest, &tools, &opened) }
            }
        })
        .await;
        Self { server, streams, latest, tools }
    }

    /// The stream that was opened as the `nth`.
    async fn stream(&mut self, nth: usize) -> Sender {
        self.streams.wait_for(|opened| *opened >= nth).await.unwrap();
        self.latest.lock().unwrap().clone().unwrap()
    }
}

fn newsroom(
    seen: &Seen,
    latest: &Mutex<Option<Sender>>,
    tools: &AtomicUsize,
    opened: &watch::Sender<usize>,
) -> Answer {
    match method(seen).as_str() {
        "initialize" => {
            let capabilities = json!({"tools": {"listChanged": true}, "resources": {"subscribe": true}});
            let hello = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities});
            let mut response = result(seen, hello).unwrap();
            response.headers_mut().insert("mcp-session-id", "s-1".parse().unwrap());
            Ok(response)
        }
        "GET" => {
            let (events, response) = streamed("text/event-stream");
            *latest.lock().unwrap() = Some(events);
            opened.send_modify(|opened| *opened += 1);
            Ok(response)
        }
        "tools/list" => {
            let tools: Vec<Value> =
                (0..tools.load(Ordering::SeqCst)).map(|n| tool(&format!("t{n}"))).collect();
            result(seen, json!({"tools": tools}))
        }
        "resources/list" => result(seen, json!({"resources": []})),
        "resources/templates/list" => result(seen, json!({"resourceTemplates": []})),
        "resources/subscribe" | "resources/unsubscribe" => result(seen, json!({})),
        _ => legacy(seen, "s-1", &[]).unwrap_or_else(|| Ok(full(404, "", ""))),
    }
}

#[tokio::test]
async fn a_legacy_upstream_that_tells_of_a_change_is_listed_again() {
    let mut room = Newsroom::start().await;
    let pool = connected(&room.server).await;
    let stream = room.stream(1).await;
    room.tools.store(2, Ordering::SeqCst);
    says(&stream, &changed("tools")).await.unwrap();
    roster_until(&pool, |roster| roster.tools.len() == 2).await;

    // A stream that is lost may have lost news with it.
    room.tools.store(3, Ordering::SeqCst);
    *room.latest.lock().unwrap() = None;
    drop(stream);
    roster_until(&pool, |roster| roster.tools.len() == 3).await;
}

#[tokio::test]
async fn a_resource_is_subscribed_to_once_and_its_updates_survive_a_lost_stream() {
    let mut room = Newsroom::start().await;
    let pool = connected(&room.server).await;
    let mut updates = pool.updates();
    let (first, second) = (pool.interest("up", "a:1").unwrap(), pool.interest("up", "a:1").unwrap());
    room.server.seen_until(|seen| count(seen, "resources/subscribe") == 1).await;
    let stream = room.stream(1).await;
    says(&stream, &updated("a:1")).await.unwrap();
    let news = Updated { upstream: "up".into(), uri: "a:1".into() };
    assert_eq!(updates.recv().await.unwrap(), news);
    *room.latest.lock().unwrap() = None;
    drop(stream);
    let stream = room.stream(2).await;
    says(&stream, &updated("a:1")).await.unwrap();
    assert_eq!(updates.recv().await.unwrap(), news);
    drop(first);
    drop(second);
    let seen = room.server.seen_until(|seen| count(seen, "resources/unsubscribe") == 1).await;
    assert_eq!(count(&seen, "resources/subscribe"), 1);
    assert_eq!(seen.last().unwrap().json()["params"]["uri"], "a:1");
}

#[tokio::test]
async fn a_new_session_is_subscribed_anew() {
    let sessions = Arc::new(AtomicUsize::new(1));
    let (latest, opened) = (Arc::<Mutex<Option<Sender>>>::default(), watch::Sender::new(0));
    let server = Server::start({
        let sessions = sessions.clone();
        move |seen| {
            let (sessions, latest, opened) = (sessions.clone(), latest.clone(), opened.clone());
            async move {
                let current = format!("s-{}", sessions.load(Ordering::SeqCst));
                let known = seen.header("mcp-session-id").is_none_or(|session| session == current);
                if !known {
                    return Ok(full(404, "", ""));
                }
                let mut answer = newsroom(&seen, &latest, &AtomicUsize::new(1), &opened)?;
                if method(&seen) == "initialize" {
                    answer.headers_mut().insert("mcp-session-id", current.parse().unwrap());
                }
                Ok(answer)
            }
        }
    })
    .await;
    let pool = connected(&server).await;
    let _interest = pool.interest("up", "a:1").unwrap();
    let second = pool.interest("up", "a:2").unwrap();
    server.seen_until(|seen| count(seen, "resources/subscribe") == 2).await;
    sessions.store(2, Ordering::SeqCst);
    // Its 404 is what makes the session known to be gone.
    drop(second);
    let renewed = |seen: &[Seen]| {
        seen.iter().any(|seen| {
            method(seen) == "resources/subscribe"
                && seen.header("mcp-session-id") == Some("s-2")
                && seen.json()["params"]["uri"] == "a:1"
        })
    };
    server.seen_until(renewed).await;
}

/// A modern server with news, whose `subscriptions/listen` streams are the test's, each with what was asked.
async fn modern_newsroom(tools: &Arc<AtomicUsize>) -> (Server, mpsc::UnboundedReceiver<(Value, Sender)>) {
    let (opened, streams) = mpsc::unbounded_channel();
    let tools = tools.clone();
    let server = Server::start(move |seen| {
        let (opened, tools) = (opened.clone(), tools.clone());
        async move {
            let capabilities = json!({"tools": {"listChanged": true}, "resources": {"subscribe": true}});
            match method(&seen).as_str() {
                "server/discover" => result(
                    &seen,
                    json!({
                        "resultType": "complete", "supportedVersions": ["2026-07-28"],
                        "capabilities": capabilities,
                    }),
                ),
                "tools/list" => {
                    let count = tools.load(Ordering::SeqCst);
                    let tools: Vec<Value> = (0..count).map(|n| tool(&format!("t{n}"))).collect();
                    result(&seen, json!({"resultType": "complete", "tools": tools}))
                }
                "resources/list" => result(&seen, json!({"resources": []})),
                "resources/templates/list" => result(&seen, json!({"resourceTemplates": []})),
                "subscriptions/listen" => {
                    let (events, response) = streamed("text/event-stream");
                    opened.send((seen.json(), events)).unwrap();
                    Ok(response)
                }
                other => panic!("{other}"),
            }
        }
    })
    .await;
    (server, streams)
}

/// The first message of a subscription: all that was asked for is honoured.
fn acknowledged(asked: &Value) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {
        "_meta": {"io.modelcontextprotocol/subscriptionId": asked["id"]},
        "notifications": asked["params"]["notifications"],
    }})
}

#[tokio::test]
async fn a_modern_upstream_is_listened_to_with_one_filter() {
    let tools = Arc::new(AtomicUsize::new(1));
    let (server, mut streams) = modern_newsroom(&tools).await;
    let pool = pool(&[upstream("up", &server.url("/mcp"))]);
    let (asked, first) = streams.recv().await.unwrap();
    assert_eq!(asked["params"]["notifications"], json!({"toolsListChanged": true}));
    says(&first, &acknowledged(&asked)).await.unwrap();
    tools.store(2, Ordering::SeqCst);
    says(&first, &changed("tools")).await.unwrap();
    roster_until(&pool, |roster| roster.tools.len() == 2).await;

    let mut updates = pool.updates();
    let _interest = pool.interest("up", "a:1").unwrap();
    let (asked, second) = streams.recv().await.unwrap();
    let both = json!({"toolsListChanged": true, "resourceSubscriptions": ["a:1"]});
    assert_eq!(asked["params"]["notifications"], both);
    assert!(!first.is_closed(), "the old one stands until the new one does");
    says(&second, &acknowledged(&asked)).await.unwrap();
    first.closed().await;
    says(&second, &updated("a:1")).await.unwrap();
    assert_eq!(updates.recv().await.unwrap(), Updated { upstream: "up".into(), uri: "a:1".into() });

    drop(second);
    let (asked, third) = streams.recv().await.unwrap();
    assert_eq!(asked["params"]["notifications"], both);
    says(&third, &acknowledged(&asked)).await.unwrap();
    says(&third, &updated("a:1")).await.unwrap();
    assert_eq!(updates.recv().await.unwrap().uri, "a:1");
}
