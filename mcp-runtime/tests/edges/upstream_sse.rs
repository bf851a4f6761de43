//! Upstreams of 2024-11-05: one stream for every answer, and POSTs to where its first event says.

use crate::{
    callers::{Client, asked, told, tool_call},
    mcp::{count, in_state, message, method, pool, send, tool, upstream},
    server::{Answer, Seen, Server, full, streamed},
};
use bytes::Bytes;
use mcpfleet_config::status::{
    UpstreamState::{Connected, Unreachable},
    UpstreamWire,
};
use mcpfleet_runtime::call::Outcome;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex},
};
use tokio::sync::mpsc;

type Sender = mpsc::Sender<io::Result<Bytes>>;

/// The open streams, by session.
type Streams = Arc<Mutex<HashMap<String, Sender>>>;

fn event(kind: &str, data: &str) -> io::Result<Bytes> {
    Ok(Bytes::from(format!("event: {kind}\ndata: {data}\n\n")))
}

/// A server over HTTP+SSE; `answer` gives what is said on the stream to a message.
async fn old(answer: impl Fn(&Seen) -> Vec<Value> + Send + Sync + 'static) -> (Server, Streams) {
    let streams = Streams::default();
    let answer = Arc::new(answer);
    let server = Server::start({
        let streams = streams.clone();
        move |seen| {
            let (streams, answer) = (streams.clone(), answer.clone());
            async move { serve(&seen, &streams, answer.as_ref()).await }
        }
    })
    .await;
    (server, streams)
}

async fn serve(seen: &Seen, streams: &Streams, answer: &(impl Fn(&Seen) -> Vec<Value> + ?Sized)) -> Answer {
    match (seen.method.as_str(), seen.uri.path()) {
        ("GET", "/sse") => {
            let (events, response) = streamed("text/event-stream");
            let session = {
                let mut streams = streams.lock().unwrap();
                let session = format!("n{}", streams.len());
                streams.insert(session.clone(), events.clone());
                session
            };
            tokio::spawn(async move {
                let _ = events.send(event("endpoint", &format!("/messages?session={session}"))).await;
            });
            Ok(response)
        }
        ("POST", "/messages") => {
            let session = seen.uri.query().unwrap().trim_start_matches("session=");
            let stream = streams.lock().unwrap().get(session).cloned();
            let Some(stream) = stream.filter(|stream| !stream.is_closed()) else {
                return Ok(full(404, "", ""));
            };
            for message in answer(seen) {
                stream.send(event("message", &message.to_string())).await.unwrap();
            }
            Ok(full(202, "text/plain", "Accepted"))
        }
        _ => Ok(full(405, "text/plain", "Method Not Allowed")),
    }
}

fn reply(seen: &Seen, result: Value) -> Value {
    serde_json::from_str(&message(seen, "result", result)).unwrap()
}

fn refusal(seen: &Seen) -> Value {
    serde_json::from_str(&message(seen, "error", json!({"code": -32601, "message": "what?"}))).unwrap()
}

/// A server of 2024-11-05 with one tool.
fn of_2024(seen: &Seen) -> Vec<Value> {
    match method(seen).as_str() {
        "initialize" => {
            vec![reply(seen, json!({"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}}))]
        }
        "tools/list" => vec![reply(seen, json!({"tools": [tool("t")]}))],
        "tools/call" => {
            let token = &seen.json()["params"]["_meta"]["progressToken"];
            let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
                "progressToken": token, "progress": 1,
            }});
            let asking = json!({"jsonrpc": "2.0", "id": "q", "method": "roots/list"});
            let before = if token.is_null() { vec![] } else { vec![progress, asking] };
            before.into_iter().chain([reply(seen, json!({"content": []}))]).collect()
        }
        "server/discover" => vec![refusal(seen)],
        _ => vec![],
    }
}

#[tokio::test]
async fn a_server_of_2024_is_found_listed_and_called() {
    let (server, _streams) = old(of_2024).await;
    let pool = pool(&[upstream("up", &server.url("/sse"))]);
    let roster = in_state(&pool, "up", Connected).await;
    assert_eq!(roster.tools[0].exposed_name, "up_t");
    let status = &roster.status[0];
    assert_eq!(
        (status.revision.as_deref(), status.transport),
        (Some("2024-11-05"), Some(UpstreamWire::HttpSse))
    );
    let caller = Client::modern(0).silent();
    let outcome = send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    assert!(matches!(outcome, Outcome::Forwarded(result) if result.get() == r#"{"content":[]}"#));
}

#[tokio::test]
async fn progress_and_questions_on_the_one_stream_find_their_call() {
    let (server, _streams) = old(of_2024).await;
    let pool = pool(&[upstream("up", &server.url("/sse"))]);
    in_state(&pool, "up", Connected).await;
    let client = Client::legacy(1).offering(json!({"roots": {}})).curious();
    let (caller, mut events) = client.listening();
    send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    assert_eq!(told(&mut events).await, r#"progress {"progress":1}"#);
    let (question, _) = asked(&mut events).await;
    assert_eq!(question.method, "roots/list");
}

#[tokio::test]
async fn a_lost_stream_is_a_new_session_and_a_call_on_it_is_not_sent_again() {
    let (server, streams) = old(|seen| match method(seen).as_str() {
        // Never answered: its stream is lost first.
        "tools/call" if seen.json()["params"]["arguments"]["lose"] == true => vec![],
        _ => of_2024(seen),
    })
    .await;
    let pool = pool(&[upstream("up", &server.url("/sse"))]);
    in_state(&pool, "up", Connected).await;
    let losing = tokio::spawn({
        let pool = pool.clone();
        let caller = Client::modern(0).silent();
        async move { send(&pool, "up", &tool_call("t", &json!({"lose": true})), &caller).await }
    });
    let seen = server.seen_until(|seen| count(seen, "tools/call") == 1).await;
    let session = seen.last().unwrap().uri.query().unwrap().trim_start_matches("session=").to_owned();
    let lost = streams.lock().unwrap().insert(session, mpsc::channel(1).0);
    lost.unwrap().send(Err(io::Error::other("scripted"))).await.unwrap();
    let error = losing.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("unknown"), "{error}");
    assert_eq!(count(&server.seen(), "tools/call"), 1);
    let caller = Client::modern(0).silent();
    send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
}

#[tokio::test]
async fn a_modern_server_on_the_old_transport_is_used_as_modern() {
    let (server, _streams) = old(|seen| {
        match method(seen).as_str() {
            "server/discover" => vec![reply(
                seen,
                json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}),
            )],
            "tools/list" => vec![reply(seen, json!({"resultType": "complete", "tools": [tool("t")]}))],
            _ => vec![reply(seen, json!({"resultType": "complete", "content": []}))],
        }
    })
    .await;
    let pool = pool(&[upstream("up", &server.url("/sse"))]);
    let roster = in_state(&pool, "up", Connected).await;
    let status = &roster.status[0];
    assert_eq!(
        (status.revision.as_deref(), status.transport),
        (Some("2026-07-28"), Some(UpstreamWire::HttpSse))
    );
    let caller = Client::modern(0).silent();
    let outcome = send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    assert!(matches!(outcome, Outcome::Forwarded(result) if result.get() == r#"{"content":[]}"#));
}

#[tokio::test]
async fn an_endpoint_of_another_origin_gets_nothing() {
    let elsewhere = Server::start(|_| async { Ok(full(202, "", "")) }).await;
    let url = elsewhere.url("/messages");
    let server = Server::start(move |seen| {
        let url = url.clone();
        async move {
            if seen.method != "GET" {
                return Ok(full(405, "", ""));
            }
            let (events, response) = streamed("text/event-stream");
            tokio::spawn(async move { events.send(event("endpoint", &url)).await });
            Ok(response)
        }
    })
    .await;
    let pool = pool(&[upstream("up", &server.url("/sse"))]);
    let roster = in_state(&pool, "up", Unreachable).await;
    let message = roster.status[0].message.as_deref().unwrap();
    assert!(message.contains("another origin"), "{message}");
    assert!(elsewhere.seen().is_empty());
}
