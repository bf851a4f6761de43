//! JSON-RPC batches, which 2025-03-26 has (basic, "Batching": receivers MUST support them) and no other revision.

use crate::harness::{
    Gateway, Post, Reply, Session, UpstreamEra, accept, initialize, is_request, notification, request, text,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn session(gateway: &Gateway) -> Session {
    Session::of(&gateway.mcp, "2025-03-26", &json!({"elicitation": {}, "sampling": {}})).await
}

fn greet(id: impl Into<Value>, name: &str) -> Value {
    request(id, "tools/call", &json!({"name": "greet", "arguments": {"name": name}}))
}

/// The answers by their ids, in an array or on a stream.
async fn answers(reply: Reply) -> BTreeMap<String, Value> {
    assert_eq!(reply.status, 200);
    let mut answers = BTreeMap::new();
    for message in reply.all().await {
        let messages = message.as_array().cloned().unwrap_or_else(|| vec![message]);
        for message in messages {
            let twice = answers.insert(message["id"].to_string(), message);
            assert_eq!(twice, None, "answered twice");
        }
    }
    answers
}

#[tokio::test]
async fn a_batch_is_answered_by_an_array_of_what_expects_answers() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let session = session(&gateway).await;
        let batch = json!([
            greet(1, "Ada"),
            notification("notifications/roots/list_changed", &json!({})),
            request("two", "ping", &json!({})),
            request(3, "tools/list", &json!({})),
            greet("four", "Grace"),
            request(5, "no/such/method", &json!({})),
        ]);
        let reply = session.send(&batch).await;
        assert_eq!(reply.status, 200, "{era:?}");
        assert!(!reply.is_stream(), "{era:?}: nothing is said on the way");
        let array = reply.json().await;
        assert_eq!(array.as_array().map(Vec::len), Some(5), "{era:?}: {array}");
        let by_id =
            |id: Value| array.as_array().and_then(|all| all.iter().find(|it| it["id"] == id)).expect("it");
        assert_eq!(text(by_id(json!(1))), "Hello, Ada!");
        assert_eq!(by_id(json!("two"))["result"], json!({}));
        assert!(by_id(json!(3))["result"]["tools"].is_array());
        assert_eq!(text(by_id(json!("four"))), "Hello, Grace!");
        assert_eq!(by_id(json!(5))["error"]["code"], -32601);
        assert_eq!(gateway.upstream.count("greet", "began").await, 2, "{era:?}");
    }
}

#[tokio::test]
async fn a_batch_of_one_is_answered_by_an_array_too() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let reply = session(&gateway).await.send(&json!([request(1, "ping", &json!({}))])).await;
    assert_eq!(reply.json().await, json!([{"jsonrpc": "2.0", "id": 1, "result": {}}]));
}

#[tokio::test]
async fn a_batch_that_expects_no_answers_is_accepted() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let session = session(&gateway).await;
    let told = json!([
        notification("notifications/roots/list_changed", &json!({})),
        notification("notifications/cancelled", &json!({"requestId": 99})),
        {"jsonrpc": "2.0", "id": "never asked", "result": {}},
    ]);
    let reply = session.send(&told).await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.bytes().await, b"");
}

#[tokio::test]
async fn a_batch_in_which_the_client_is_asked_becomes_a_stream() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let session = session(&gateway).await;
        let asks = json!({"name": "test_elicitation", "arguments": {"message": "Who?"}});
        let mut reply = session.send(&json!([request(1, "tools/call", &asks), greet(2, "Ada")])).await;
        let mut answered = Vec::new();
        while let Some(message) = reply.next().await {
            if is_request(&message) {
                assert_eq!(message["method"], "elicitation/create", "{era:?}: {message}");
                session.respond(&message, &accept(&json!({"username": "a", "email": "b"}))).await;
            } else {
                answered.extend(message.as_array().cloned().unwrap_or_else(|| vec![message]));
            }
        }
        answered.sort_by_key(|answer| answer["id"].as_u64());
        let [first, second] = answered.as_slice() else { panic!("{era:?}: {answered:?}") };
        assert!(text(first).contains("accept"), "{era:?}: {first}");
        assert_eq!(text(second), "Hello, Ada!", "{era:?}");
    }
}

#[tokio::test]
async fn one_bad_message_does_not_spoil_the_others() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let session = session(&gateway).await;
    let batch = json!([1, greet(2, "Ada"), {"jsonrpc": "2.0", "id": 3}, [greet(4, "nobody")]]);
    let answers = answers_with_nulls(session.send(&batch).await).await;
    let right = answers.iter().find(|answer| answer["id"] == 2).expect("the good one's");
    assert_eq!(text(right), "Hello, Ada!");
    let refused = answers.iter().filter(|answer| answer["error"]["code"] == -32600).count();
    assert_eq!(refused, 3, "{answers:?}");
    assert_eq!(gateway.upstream.count("greet", "began").await, 1);
}

async fn answers_with_nulls(reply: Reply) -> Vec<Value> {
    let array = reply.json().await;
    array.as_array().unwrap_or_else(|| panic!("no array: {array}")).clone()
}

/// "The initialize request MUST NOT be part of a JSON-RPC batch" (2025-03-26, lifecycle).
#[tokio::test]
async fn initialize_in_a_batch_is_refused() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let session = session(&gateway).await;
    let batch = json!([initialize("2025-03-26", &json!({})), request(1, "ping", &json!({}))]);
    for post in [session.post(&batch), Post::message(&batch)] {
        let reply = gateway.mcp.post(&post).await;
        assert_eq!(reply.header("mcp-session-id"), None);
        let said = String::from_utf8(reply.bytes().await).expect("text");
        assert!(said.contains("-32600"), "{said}");
        assert!(!said.contains("protocolVersion"), "{said}");
    }
}

#[tokio::test]
async fn an_empty_batch_is_refused() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let reply = session(&gateway).await.send(&json!([])).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json().await["error"]["code"], -32600);
}

#[tokio::test]
async fn a_batch_without_end_is_refused_and_nothing_of_it_runs() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let batch: Vec<Value> = (0..10_000).map(|id| greet(id, "Ada")).collect();
    let reply = session(&gateway).await.send(&json!(batch)).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json().await["error"]["code"], -32600);
    assert_eq!(gateway.upstream.count("greet", "began").await, 0);
}

#[tokio::test]
async fn other_revisions_have_no_batches() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let batch = json!([greet(1, "Ada"), greet(2, "Grace")]);
    for revision in ["2025-06-18", "2025-11-25"] {
        let session = Session::of(&gateway.mcp, revision, &json!({})).await;
        // With the header, and as a client that forgets it.
        for post in [session.post(&batch), session.post(&batch).without("mcp-protocol-version")] {
            let reply = gateway.mcp.post(&post).await;
            assert_eq!(reply.status, 400, "{revision}");
            assert_eq!(reply.json().await["error"]["code"], -32600, "{revision}");
        }
    }
    let modern =
        Post::message(&batch).with("mcp-protocol-version", "2026-07-28").with("mcp-method", "tools/call");
    assert_eq!(gateway.mcp.post(&modern).await.status, 400);
    assert_eq!(gateway.upstream.count("greet", "began").await, 0);
}

#[tokio::test]
async fn requests_of_a_batch_run_at_once() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let session = session(&gateway).await;
    let ask = |id: u32| {
        request(
            id,
            "tools/call",
            &json!({"name": "test_elicitation", "arguments": {"message": id.to_string()}}),
        )
    };
    let mut reply = session.send(&json!([ask(1), ask(2)])).await;
    let questions = [reply.next().await.expect("a question"), reply.next().await.expect("another")];
    assert!(questions.iter().all(is_request), "both are under way before either is answered: {questions:?}");
    for question in &questions {
        session.respond(question, &accept(&json!({"username": "a", "email": "b"}))).await;
    }
    assert_eq!(answers(reply).await.len(), 2);
}
