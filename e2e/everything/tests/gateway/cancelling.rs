//! What ends a call, and what does not. Legacy: `notifications/cancelled`, and "Disconnection SHOULD NOT be interpreted
//! as the client cancelling its request" (2025-11-25, transports). Modern: closing the response (2026-07-28, streamable
//! HTTP, "Cancellation"). The upstream's ledger tells.

use crate::harness::{
    Gateway, Manifests, Modern, Play, Runtime, Scripted, Session, Upstream, UpstreamEra, accept, text, until,
    within,
};
use serde_json::{Value, json};

/// Longer than any test.
fn for_ever() -> Value {
    json!({"ms": 3_600_000})
}

fn contact() -> Value {
    accept(&json!({"username": "ada", "email": "ada@example.com"}))
}

#[tokio::test]
async fn a_legacy_client_cancels_by_a_notification() {
    for era in UpstreamEra::BOTH {
        for id in [json!("one"), json!(1)] {
            let gateway = Gateway::start(era).await;
            let session = Session::open(&gateway.mcp).await;
            let calling = {
                let (session, id) = (session.clone(), id.clone());
                tokio::spawn(async move { session.start(id, "slow", &for_ever()).await.all().await })
            };
            gateway.upstream.until("slow", "began", 1).await;
            let cancelled = session.notify("notifications/cancelled", &json!({"requestId": id})).await;
            assert_eq!(cancelled.status, 202);
            gateway.upstream.until("slow", "cancelled", 1).await;
            // "SHOULD NOT send a response" (2025-11-25, basic/utilities/cancellation).
            let messages = within("the response to end", calling).await.expect("a reply");
            assert!(messages.is_empty(), "{era:?}: {messages:?}");
            let after = session.call(2, "greet", &json!({"name": "Ada"})).await;
            assert_eq!(text(&after), "Hello, Ada!", "{era:?}");
        }
    }
}

#[tokio::test]
async fn a_modern_client_cancels_by_closing_the_response() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let client = Modern::new(&gateway.mcp);
        let calling = tokio::spawn(async move { client.start(1, "slow", &for_ever()).await.all().await });
        gateway.upstream.until("slow", "began", 1).await;
        calling.abort();
        gateway.upstream.until("slow", "cancelled", 1).await;
    }
}

#[tokio::test]
async fn a_legacy_client_that_loses_its_connection_cancels_nothing() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let session = Session::open(&gateway.mcp).await;
        let mut reply = session.start(1, "test_elicitation", &json!({})).await;
        let question = reply.next().await.expect("a question");
        drop(reply);
        session.respond(&question, &contact()).await;
        gateway.upstream.until("test_elicitation", "finished", 1).await;
        assert_eq!(gateway.upstream.count("test_elicitation", "cancelled").await, 0, "{era:?}");
    }
}

#[tokio::test]
async fn nobody_cancels_the_call_of_another_session() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let (session, other) = (Session::open(&gateway.mcp).await, Session::open(&gateway.mcp).await);
    let mut reply = session.start("one", "test_elicitation", &json!({})).await;
    let question = reply.next().await.expect("a question");
    // As string and number, of this id and of none.
    for id in [json!("one"), json!(1), json!("none")] {
        assert_eq!(other.notify("notifications/cancelled", &json!({"requestId": id})).await.status, 202);
    }
    // An id of another type is another id.
    session.notify("notifications/cancelled", &json!({"requestId": 1})).await;
    session.respond(&question, &contact()).await;
    assert!(text(&reply.answer().await).contains("ada"));
}

#[tokio::test]
async fn a_deleted_session_ends_its_calls() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let session = Session::open(&gateway.mcp).await;
        let calling = {
            let session = session.clone();
            tokio::spawn(async move { session.start(1, "slow", &for_ever()).await.all().await })
        };
        gateway.upstream.until("slow", "began", 1).await;
        assert!(session.delete().await.status.is_success());
        gateway.upstream.until("slow", "cancelled", 1).await;
        within("the response to end", calling).await.expect("a reply");
    }
}

#[tokio::test]
async fn a_cancellation_reaches_the_replica_that_holds_the_call() {
    let upstream = Upstream::start(UpstreamEra::Legacy).await;
    let manifests = Manifests::of(&upstream.url());
    let (one, other) = tokio::join!(Runtime::start(&manifests), Runtime::start(&manifests));
    let session = Session::open(&one.mcp).await;
    let calling = {
        let session = session.clone();
        tokio::spawn(async move { session.start("far", "slow", &for_ever()).await.all().await })
    };
    upstream.until("slow", "began", 1).await;
    let elsewhere = session.at(&other.mcp);
    assert_eq!(elsewhere.notify("notifications/cancelled", &json!({"requestId": "far"})).await.status, 202);
    upstream.until("slow", "cancelled", 1).await;
    within("the response to end", calling).await.expect("a reply");
}

#[tokio::test]
async fn a_modern_client_that_leaves_one_replica_cancels_at_the_other() {
    let upstream = Scripted::start(|_| {
        let question = json!({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": {
            "message": "Who?", "requestedSchema": {"type": "object", "properties": {}},
        }});
        Play::Hold(Scripted::stream(&format!("data: {question}\n\n")))
    })
    .await;
    let manifests = Manifests::of(&upstream.url());
    let (one, other) = tokio::join!(Runtime::start(&manifests), Runtime::start(&manifests));
    let client = Modern::new(&one.mcp);
    let asked = client.asked("work", &json!({})).await;
    let retry = Modern::retry("work", &json!({}), &asked, |_| accept(&json!({})));
    let elsewhere = client.at(&other.mcp);
    let waiting = tokio::spawn(async move { elsewhere.again(&retry).await });
    until("the answer to come upstream", || async {
        (upstream.count(|told| told["id"] == "q" && told["result"].is_object()) == 1).then_some(())
    })
    .await;
    waiting.abort();
    upstream.until_left().await;
}
