//! What a legacy upstream asks while no call runs reaches the client whose session it is, by the stream that it keeps open.

use crate::{
    listener::Listener,
    manifests::{server, write},
    process::{PATIENCE, Runtime, until},
    server::{Answer, Body, Seen, Server, full, streamed},
};
use bytes::Bytes;
use http::Response;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::{sync::mpsc, time::timeout};

/// The stream of the session that was opened last.
type Stream = Arc<Mutex<Option<mpsc::Sender<io::Result<Bytes>>>>>;

fn reply(seen: &Seen, result: &Value) -> Response<Body> {
    let message = json!({"jsonrpc": "2.0", "id": seen.json()["id"], "result": result});
    full(200, "application/json", message.to_string())
}

/// A server of 2025-11-25, whose GET streams are the test's.
fn script(seen: &Seen, stream: &Stream) -> Answer {
    match seen.json()["method"].as_str().unwrap_or(seen.method.as_str()) {
        "server/discover" => Ok(full(400, "text/plain", "initialize first")),
        "initialize" => {
            let hello = json!({
                "protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "t", "version": "1"},
            });
            let mut response = reply(seen, &hello);
            response.headers_mut().insert("mcp-session-id", "s".parse().unwrap());
            Ok(response)
        }
        "tools/list" => {
            Ok(reply(seen, &json!({"tools": [{"name": "hi", "inputSchema": {"type": "object"}}]})))
        }
        "tools/call" => Ok(reply(seen, &json!({"content": []}))),
        "GET" => {
            let (events, response) = streamed("text/event-stream");
            *stream.lock().unwrap() = Some(events);
            Ok(response)
        }
        _ => Ok(full(202, "", "")),
    }
}

struct Scene {
    upstream: Server,
    stream: Stream,
    runtime: Runtime,
    _dir: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let stream = Stream::default();
        let scripted = stream.clone();
        let upstream = Server::start(move |seen| {
            let stream = scripted.clone();
            async move { script(&seen, &stream) }
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let upstreams = format!("  upstreams: [{{name: up, remote: {{url: '{}'}}}}]\n", upstream.url("/mcp"));
        write(dir.path(), "server.yaml", &server("support", &upstreams));
        let runtime = Runtime::on(dir.path()).await;
        until("the tools", || async { runtime.tools().await.contains(&"hi".to_owned()).then_some(()) }).await;
        Self { upstream, stream, runtime, _dir: dir }
    }

    /// A session in which a call was made, so that the upstream has one for it.
    async fn session(&self) -> String {
        let hello = json!({
            "protocolVersion": "2025-11-25", "capabilities": {"roots": {}}, "clientInfo": {"name": "t", "version": "1"},
        });
        let answer = self.runtime.legacy("/mcp", "initialize", &hello).send().await.unwrap();
        let session = answer.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let call = self.runtime.legacy("/mcp", "tools/call", &json!({"name": "hi"}));
        assert_eq!(call.header("mcp-session-id", &session).send().await.unwrap().status(), 200);
        session
    }

    /// Says something on the stream of the newest session.
    async fn says(&self, message: &Value) {
        let events = until("the upstream's stream", || async { self.stream.lock().unwrap().clone() }).await;
        events.send(Ok(format!("data: {message}\n\n").into())).await.unwrap();
    }

    async fn asks(&self, id: &str, method: &str) {
        self.says(&json!({"jsonrpc": "2.0", "id": id, "method": method})).await;
    }

    /// What the upstream gets in answer.
    async fn answer_to(&self, id: &str) -> Value {
        let seen = self.upstream.seen_until(|seen| seen.iter().any(|seen| seen.json()["id"] == id));
        let seen = timeout(PATIENCE, seen).await.unwrap();
        seen.iter().map(Seen::json).find(|sent| sent["id"] == id).unwrap()
    }
}

fn stream(runtime: &Runtime, session: &str) -> RequestBuilder {
    let request = runtime.http.get(runtime.url("/mcp")).header("accept", "text/event-stream");
    request.header("mcp-protocol-version", "2025-11-25").header("mcp-session-id", session)
}

#[tokio::test]
async fn a_question_outside_a_call_is_asked_on_the_clients_own_stream() {
    let scene = Scene::new().await;
    let session = scene.session().await;
    let mut listener = Listener::opened_legacy(stream(&scene.runtime, &session).send().await.unwrap()).await;
    scene.asks("q-1", "roots/list").await;
    let asked = timeout(PATIENCE, listener.message()).await.unwrap().unwrap();
    assert_eq!(asked["method"], "roots/list");
    assert_ne!(asked["id"], "q-1", "ids are each hop's own");
    let roots = json!({"roots": [{"uri": "file:///a"}]});
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": roots});
    let post = scene.runtime.legacy("/mcp", "", &json!({})).header("mcp-session-id", &session).json(&answer);
    assert_eq!(post.send().await.unwrap().status(), 202);
    assert_eq!(scene.answer_to("q-1").await["result"], roots);
    // What the client does not offer does not reach it, and what is taken back neither ends it.
    scene.asks("q-2", "sampling/createMessage").await;
    assert_eq!(scene.answer_to("q-2").await["error"]["code"], -32601);
    scene.asks("q-3", "ping").await;
    assert_eq!(scene.answer_to("q-3").await["result"], json!({}));
}

#[tokio::test]
async fn without_a_stream_the_upstream_is_told_why_nobody_answers() {
    let scene = Scene::new().await;
    let session = scene.session().await;
    scene.asks("q-1", "roots/list").await;
    let error = scene.answer_to("q-1").await["error"].clone();
    assert_eq!(error["code"], -32601);
    assert!(error["message"].as_str().unwrap().contains("stream open"), "{error}");
    // From the next on there is one.
    let mut listener = Listener::opened_legacy(stream(&scene.runtime, &session).send().await.unwrap()).await;
    scene.asks("q-2", "roots/list").await;
    assert_eq!(timeout(PATIENCE, listener.message()).await.unwrap().unwrap()["method"], "roots/list");
}

#[tokio::test]
async fn one_that_asks_too_much_is_told_so_and_nothing_more_reaches_the_client() {
    let scene = Scene::new().await;
    let session = scene.session().await;
    let mut listener = Listener::opened_legacy(stream(&scene.runtime, &session).send().await.unwrap()).await;
    for n in 0..17 {
        scene.asks(&format!("q-{n}"), "roots/list").await;
    }
    let refused = scene.answer_to("q-16").await;
    assert!(refused["error"]["message"].as_str().unwrap().contains("more than 16"), "{refused}");
    for _ in 0..16 {
        let asked = timeout(PATIENCE, listener.message()).await.unwrap().unwrap();
        assert_eq!(asked["method"], "roots/list");
    }
}
