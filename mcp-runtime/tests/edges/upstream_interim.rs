//! Notices that come before an answer, and streams that break off.

use crate::{
    callers::{Client, told, tool_call},
    mcp::{connected, count, legacy, method, modern, send, tool},
    server::Server,
    speech::{done, notification, says, speaking},
};
use bytes::Bytes;
use mcpfleet_runtime::call::Outcome;
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

#[tokio::test]
async fn notices_come_in_their_order_and_before_the_answer() {
    let server = Server::start(|seen| async move {
        if let Some(answer) = modern(&seen, &[tool("t")]) {
            return answer;
        }
        Ok(speaking(|events| async move {
            let token = seen.json()["params"]["_meta"]["progressToken"].clone();
            for (method, params) in [
                ("notifications/progress", json!({"progressToken": token, "progress": 1})),
                ("notifications/message", json!({"level": "info", "data": "a"})),
                ("notifications/progress", json!({"progressToken": "another's", "progress": 7})),
                ("notifications/progress", json!({"progressToken": token, "progress": 2, "total": 3})),
                ("notifications/x", json!({})),
            ] {
                says(&events, &notification(method, &params)).await.unwrap();
            }
            says(&events, &done(&seen)).await.unwrap();
        }))
    })
    .await;
    let pool = connected(&server).await;
    let (caller, mut events) = Client::modern(0).curious().listening();
    let outcome = send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    assert!(matches!(outcome, Outcome::Forwarded(_)));
    drop(caller);
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(told(&mut events).await);
    }
    let log = r#"log info {"data":"a","level":"info"}"#;
    assert_eq!(
        all,
        [r#"progress {"progress":1}"#, log, r#"progress {"progress":2,"total":3}"#, "notifications/x"]
    );
    assert!(events.recv().await.is_none());
    let meta = server.seen().last().unwrap().json()["params"]["_meta"].clone();
    assert_eq!(meta["io.modelcontextprotocol/logLevel"], "debug");
}

#[tokio::test]
async fn who_wants_no_progress_gets_none_and_asks_for_none() {
    let server = Server::start(|seen| async move {
        if let Some(answer) = modern(&seen, &[tool("t")]) {
            return answer;
        }
        let token = &seen.json()["params"]["_meta"]["progressToken"];
        assert!(token.is_null(), "{token}");
        Ok(speaking(|events| async move {
            says(&events, &notification("notifications/message", &json!({"level": "error", "data": 1})))
                .await
                .unwrap();
            says(&events, &done(&seen)).await.unwrap();
        }))
    })
    .await;
    let pool = connected(&server).await;
    let (caller, mut events) = Client::modern(0).listening();
    send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    drop(caller);
    assert!(events.recv().await.is_none());
}

/// The server can send until the sockets between are full, and no further: what we hold is bounded.
#[tokio::test]
async fn a_slow_client_holds_the_upstream_back() {
    const FLOOD: usize = 640;
    let sent = Arc::new(AtomicUsize::new(0));
    let server = {
        let sent = sent.clone();
        Server::start(move |seen| {
            let sent = sent.clone();
            async move {
                if let Some(answer) = modern(&seen, &[tool("t")]) {
                    return answer;
                }
                Ok(speaking(|events| async move {
                    let padding = "x".repeat(64 * 1024);
                    let params = json!({"level": "info", "data": padding});
                    for _ in 0..FLOOD {
                        says(&events, &notification("notifications/message", &params)).await.unwrap();
                        sent.fetch_add(1, Ordering::SeqCst);
                    }
                    says(&events, &done(&seen)).await.unwrap();
                }))
            }
        })
        .await
    };
    let pool = connected(&server).await;
    let (caller, mut events) = Client::modern(0).curious().listening();
    let calling = tokio::spawn(async move { send(&pool, "up", &tool_call("t", &json!({})), &caller).await });
    // It has come as far as it can when nothing moves any more, whoever is given a turn.
    let mut before = usize::MAX;
    while before != sent.load(Ordering::SeqCst) || before == 0 {
        before = sent.load(Ordering::SeqCst);
        for _ in 0..2_000 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(before < FLOOD / 2, "{before} of {FLOOD} messages were taken while nobody read");
    for _ in 0..FLOOD {
        assert!(told(&mut events).await.starts_with("log info"));
    }
    calling.await.unwrap().unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), FLOOD);
}

/// 2025-11-25, transports, "Resumability and Redelivery": only the rest of the stream is asked for.
#[tokio::test]
async fn a_stream_that_breaks_off_is_gone_on_with() {
    let server = Server::start(|seen| async move {
        if let Some(answer) = legacy(&seen, "s-1", &[tool("t")]) {
            return answer;
        }
        if method(&seen) == "tools/call" {
            return Ok(speaking(|events| async move {
                events.send(Ok(Bytes::from("id: 7\nretry: 1\ndata:\n\n"))).await.unwrap();
            }));
        }
        Ok(speaking(|events| async move {
            // The id of the call: the first request after the hello of its session.
            let answer = json!({"jsonrpc": "2.0", "id": 2, "result": {"content": []}});
            says(&events, &answer).await.unwrap();
        }))
    })
    .await;
    let pool = connected(&server).await;
    let caller = Client::modern(0).silent();
    send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    let seen = server.seen();
    let again = seen.iter().find(|seen| method(seen) == "GET").unwrap();
    assert_eq!((again.header("last-event-id"), again.header("mcp-session-id")), (Some("7"), Some("s-1")));
    assert_eq!(count(&seen, "tools/call"), 1);
}
