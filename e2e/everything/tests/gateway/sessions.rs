//! Sessions of the legacy revisions (2025-11-25, transports, "Session Management"; lifecycle, "Version Negotiation").

use crate::harness::{
    Gateway, Manifests, Post, Runtime, Session, Upstream, UpstreamEra, initialize, request, text,
};
use serde_json::{Value, json};

#[tokio::test]
async fn every_legacy_revision_is_negotiated() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
            let session = Session::of(&gateway.mcp, revision, &json!({})).await;
            // "MUST only contain visible ASCII characters".
            assert!(session.id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{}", session.id);
            let pong = session.request(1, "ping", &json!({})).await.answer().await;
            assert_eq!(pong, json!({"jsonrpc": "2.0", "id": 1, "result": {}}), "{revision}");
            let tools = session.request(2, "tools/list", &json!({})).await.answer().await;
            assert!(tools["result"]["tools"].as_array().is_some_and(|tools| tools.len() > 40), "{tools}");
            let answer = session.call(3, "greet", &json!({"name": "Ada"})).await;
            assert_eq!(text(&answer), "Hello, Ada!", "{revision}-{era:?}");
            assert_eq!(session.delete().await.status.as_u16() / 100, 2, "{revision}");
        }
    }
}

#[tokio::test]
async fn initialize_says_what_is_offered_and_by_whom() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let reply = gateway.mcp.post(&Post::message(&initialize("2025-11-25", &json!({})))).await;
        let answer = reply.answer().await;
        let result = &answer["result"];
        assert!(result["serverInfo"]["name"].is_string(), "{era:?}: {answer}");
        for capability in ["tools", "prompts", "resources", "logging", "completions"] {
            assert!(result["capabilities"][capability].is_object(), "{era:?}, {capability}: {answer}");
        }
        assert_eq!(result["capabilities"]["resources"]["subscribe"], true, "{era:?}: {answer}");
        assert_eq!(result["capabilities"]["tools"]["listChanged"], true, "{era:?}: {answer}");
        assert!(result["resultType"].is_null(), "{era:?}: {answer}");
    }
}

/// "Otherwise, the server MUST respond with another protocol version it supports. This SHOULD be the latest".
#[tokio::test]
async fn an_unknown_revision_is_answered_with_the_latest_legacy_one() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    for unknown in ["1999-01-01", "2099-01-01", "2026-07-28", "latest"] {
        let reply = gateway.mcp.post(&Post::message(&initialize(unknown, &json!({})))).await;
        assert_eq!(reply.status, 200, "{unknown}");
        assert!(reply.header("mcp-session-id").is_some(), "{unknown}");
        let answer = reply.answer().await;
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25", "{unknown}: {answer}");
    }
}

/// What each kind of request says about a session that is none.
async fn assert_gone(session: &Session, what: &str) {
    let asked = session.request(5, "tools/list", &json!({})).await;
    assert_eq!(asked.status, 404, "{what}: a request");
    let answer = asked.json().await;
    assert!(answer["error"]["message"].is_string(), "{what}: {answer}");
    assert_eq!(answer["id"], 5, "{what}: {answer}");
    assert_eq!(
        session.notify("notifications/initialized", &json!({})).await.status,
        404,
        "{what}: a notification"
    );
    let response = json!({"jsonrpc": "2.0", "id": "mcpfleet-0", "result": {}});
    assert_eq!(session.send(&response).await.status, 404, "{what}: a response");
    assert_eq!(session.listen().await.status, 404, "{what}: GET");
    assert_eq!(session.delete().await.status, 404, "{what}: DELETE");
}

#[tokio::test]
async fn a_session_that_is_none_is_not_found() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let session = Session::open(&gateway.mcp).await;
    let (start, end) = session.id.split_at(session.id.len() / 2);
    let flipped = if end.starts_with('A') { "B" } else { "A" };
    let ids = [
        ("unknown", "5ed1c3a0-7a52-4f0b-9a53-0e8f6a7b1c2d".to_owned()),
        ("one letter", "x".to_owned()),
        ("truncated", start.to_owned()),
        ("prolonged", format!("{}A", session.id)),
        ("forged", format!("{start}{flipped}{}", &end[1..])),
        ("turned round", session.id.chars().rev().collect()),
        ("very long", "A".repeat(4000)),
    ];
    for (what, id) in ids {
        assert_gone(&Session { id, ..session.clone() }, what).await;
    }
    assert_eq!(text(&session.call(1, "greet", &json!({"name": "Ada"})).await), "Hello, Ada!");
}

#[tokio::test]
async fn a_deleted_session_is_not_found() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let (session, other) = (Session::open(&gateway.mcp).await, Session::open(&gateway.mcp).await);
    assert!(session.delete().await.status.is_success());
    assert_gone(&session, "deleted").await;
    assert_eq!(text(&other.call(1, "greet", &json!({"name": "Ada"})).await), "Hello, Ada!");
}

#[tokio::test]
async fn the_session_of_another_server_is_not_found() {
    let upstream = Upstream::start(UpstreamEra::Legacy).await;
    let manifests = Manifests::named(&[("left", &upstream.url()), ("right", &upstream.url())]);
    let runtime = Runtime::start(&manifests).await;
    let session = Session::open(&runtime.mcp.on("/default/left/mcp")).await;
    assert_gone(&session.at(&runtime.mcp.on("/default/right/mcp")), "another server's").await;
    assert_eq!(text(&session.call(1, "greet", &json!({"name": "Ada"})).await), "Hello, Ada!");
}

#[tokio::test]
async fn a_session_opens_at_every_replica_and_is_one() {
    let upstream = Upstream::start(UpstreamEra::Legacy).await;
    let manifests = Manifests::of(&upstream.url());
    let (mut one, other) = tokio::join!(Runtime::start(&manifests), Runtime::start(&manifests));
    let session = Session::open(&one.mcp).await;
    let elsewhere = session.at(&other.mcp);
    assert_eq!(text(&elsewhere.call(1, "greet", &json!({"name": "Ada"})).await), "Hello, Ada!");

    // What is said at one is known at the other.
    let set = elsewhere.request(2, "logging/setLevel", &json!({"level": "error"})).await.answer().await;
    assert_eq!(set["result"], json!({}));
    assert_eq!(session.start(3, "test_tool_with_logging", &json!({})).await.all().await.len(), 1);

    let deleted = Session::open(&one.mcp).await;
    assert!(deleted.at(&other.mcp).delete().await.status.is_success());
    assert_gone(&deleted, "deleted at the other replica").await;
    assert_gone(&deleted.at(&other.mcp), "deleted there").await;

    // It outlives the replica that began it.
    one.kill().await;
    assert_eq!(text(&elsewhere.call(4, "greet", &json!({"name": "Ada"})).await), "Hello, Ada!");
}

/// 2025-11-25, transports, "Protocol Version Header"; 2025-06-18 without a header is 2025-03-26.
#[tokio::test]
async fn a_revision_header_that_cannot_be_is_refused() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let session = Session::open(&gateway.mcp).await;
    let list = request(1, "tools/list", &json!({}));
    for bad in ["1999-01-01", "latest", ""] {
        let reply = gateway.mcp.post(&session.post(&list).with("mcp-protocol-version", bad)).await;
        assert_eq!(reply.status, 400, "{bad:?}");
        assert!(reply.json().await["error"]["code"].is_i64(), "{bad:?}");
    }
    let absent = gateway.mcp.post(&session.post(&list).without("mcp-protocol-version")).await;
    assert_eq!(absent.status, 200);
}

#[tokio::test]
async fn a_client_that_takes_one_form_only_gets_that_form() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let session = Session::open(&gateway.mcp).await;
        let params = json!({"name": "test_tool_with_progress", "_meta": {"progressToken": 1}});
        let call = session.post(&request(1, "tools/call", &params));

        let json = gateway.mcp.post(&call.clone().with("accept", "application/json")).await;
        assert!(!json.is_stream());
        assert_eq!(json.all().await.len(), 1, "{era:?}: a document is one message");

        let stream = gateway.mcp.post(&call.clone().with("accept", "text/event-stream")).await;
        assert!(stream.is_stream(), "{era:?}");
        assert_eq!(stream.all().await.len(), 4, "{era:?}");

        let any = gateway.mcp.post(&call.with("accept", "*/*")).await;
        assert_eq!(any.status, 200, "{era:?}");
        let last: Value = any.answer().await;
        assert_eq!(last["id"], 1, "{era:?}");
    }
}
