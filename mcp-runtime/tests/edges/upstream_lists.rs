//! Every list of an upstream, and what it tells of changes.

use crate::{
    callers::{Client, request, value},
    mcp::{connected, count, legacy, method, modern, pool, result, roster_until, send, tool, upstream},
    server::{Answer, Seen, Server, full, streamed},
};
use bytes::Bytes;
use mcpfleet_config::status::UpstreamWire;
use mcpfleet_runtime::{
    call::Outcome,
    exchange::Ask,
    upstream::{Roster, Updated},
};
use serde_json::{Value, json};
use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{mpsc, watch};

type Sender = mpsc::Sender<io::Result<Bytes>>;

async fn says(events: &Sender, message: &Value) {
    events.send(Ok(Bytes::from(format!("data: {message}\n\n")))).await.unwrap();
}

fn changed(what: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": format!("notifications/{what}/list_changed")})
}

fn updated(uri: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}})
}

/// Two pages of each list.
fn page(seen: &Seen, list: &str, key: &str, values: [&str; 2]) -> Answer {
    let (at, next) = match seen.json()["params"]["cursor"].as_str() {
        None => (0, json!("next")),
        Some(_) => (1, Value::Null),
    };
    let element = json!({"name": values[at], key: values[at], "kept": at});
    result(seen, json!({"resultType": "complete", list: [element], "nextCursor": next}))
}

#[tokio::test]
async fn all_pages_of_all_lists_are_merged_and_names_prefixed() {
    let server = Server::start(|seen| async move {
        match method(&seen).as_str() {
            "server/discover" => result(
                &seen,
                json!({
                    "resultType": "complete", "supportedVersions": ["2026-07-28"], "instructions": "be kind",
                    "capabilities": {"prompts": {}, "resources": {}, "completions": {}},
                }),
            ),
            "prompts/list" => page(&seen, "prompts", "name", ["p1", "p2"]),
            "resources/list" => page(&seen, "resources", "uri", ["a:1", "a:2"]),
            "resources/templates/list" => page(&seen, "resourceTemplates", "uriTemplate", ["b:{x}", "b:{y}"]),
            other => panic!("{other}"),
        }
    })
    .await;
    let pool = connected(&server).await;
    let roster = pool.roster();
    let Roster { tools, prompts, resources, templates, about, status } = roster.as_ref();
    let keys = |offers: &[mcpfleet_runtime::upstream::UpstreamOffer]| {
        offers.iter().map(|offer| format!("{} {}", offer.key, offer.exposed_key)).collect::<Vec<_>>()
    };
    assert_eq!(keys(prompts), ["p1 up_p1", "p2 up_p2"]);
    assert_eq!(keys(resources), ["a:1 a:1", "a:2 a:2"]);
    assert_eq!(keys(templates), ["b:{x} b:{x}", "b:{y} b:{y}"]);
    assert_eq!(value(&prompts[1].definition), json!({"name": "up_p2", "kept": 1}));
    assert_eq!(value(&resources[0].definition), json!({"uri": "a:1", "name": "a:1", "kept": 0}));
    assert!(tools.is_empty(), "what is not offered is not asked for");
    assert_eq!((about[0].0.as_str(), about[0].1.instructions.as_deref()), ("up", Some("be kind")));
    assert_eq!(
        (status[0].revision.as_deref(), status[0].transport),
        (Some("2026-07-28"), Some(UpstreamWire::StreamableHttp))
    );
}

#[tokio::test]
async fn prompts_resources_and_completions_are_asked_for_by_their_own_names() {
    let server = Server::start(|seen| async move {
        modern(&seen, &[tool("t")]).unwrap_or_else(|| {
            let params = seen.json()["params"].clone();
            let mut params = params.as_object().unwrap().clone();
            params.remove("_meta");
            result(&seen, json!({"resultType": "complete", "params": params}))
        })
    })
    .await;
    let pool = connected(&server).await;
    let caller = Client::modern(0).silent();
    let raw = |value: Value| crate::callers::raw(&value);
    let argument = json!({"name": "x", "value": "v"});
    for (ask, params) in [
        (
            Ask::GetPrompt { name: "p".into(), arguments: Some(raw(json!({"a": "b"}))) },
            json!({"name": "p", "arguments": {"a": "b"}}),
        ),
        (Ask::ReadResource { uri: "a:1".into() }, json!({"uri": "a:1"})),
        (
            Ask::Complete {
                reference: raw(json!({"type": "ref/resource", "uri": "b:{x}"})),
                argument: raw(argument.clone()),
                context: Some(raw(json!({"arguments": {}}))),
            },
            json!({"ref": {"type": "ref/resource", "uri": "b:{x}"}, "argument": argument, "context": {"arguments": {}}}),
        ),
    ] {
        let sent = ask.method();
        let Outcome::Forwarded(result) = send(&pool, "up", &request(ask), &caller).await.unwrap() else {
            panic!()
        };
        assert_eq!(value(&result), json!({"params": params}));
        assert_eq!(server.seen().last().unwrap().header("mcp-method"), Some(sent));
    }
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
    says(&stream, &changed("tools")).await;
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
    says(&stream, &updated("a:1")).await;
    let news = Updated { upstream: "up".into(), uri: "a:1".into() };
    assert_eq!(updates.recv().await.unwrap(), news);
    *room.latest.lock().unwrap() = None;
    drop(stream);
    let stream = room.stream(2).await;
    says(&stream, &updated("a:1")).await;
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
    says(&first, &acknowledged(&asked)).await;
    tools.store(2, Ordering::SeqCst);
    says(&first, &changed("tools")).await;
    roster_until(&pool, |roster| roster.tools.len() == 2).await;

    let mut updates = pool.updates();
    let _interest = pool.interest("up", "a:1").unwrap();
    let (asked, second) = streams.recv().await.unwrap();
    let both = json!({"toolsListChanged": true, "resourceSubscriptions": ["a:1"]});
    assert_eq!(asked["params"]["notifications"], both);
    assert!(!first.is_closed(), "the old one stands until the new one does");
    says(&second, &acknowledged(&asked)).await;
    first.closed().await;
    says(&second, &updated("a:1")).await;
    assert_eq!(updates.recv().await.unwrap(), Updated { upstream: "up".into(), uri: "a:1".into() });

    drop(second);
    let (asked, third) = streams.recv().await.unwrap();
    assert_eq!(asked["params"]["notifications"], both);
    says(&third, &acknowledged(&asked)).await;
    says(&third, &updated("a:1")).await;
    assert_eq!(updates.recv().await.unwrap().uri, "a:1");
}
