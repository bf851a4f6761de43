//! Requests of 2026-07-28 repeat in headers what proxies need, and a request that disagrees with itself is refused
//! (2026-07-28, streamable HTTP, "Server Validation"; versioning, "Protocol Version Negotiation").

use crate::harness::{Gateway, Modern, Post, UpstreamEra, modern, notification, text};
use serde_json::{Value, json};

struct Case {
    what: &'static str,
    post: Post,
    status: u16,
    code: i64,
}

fn greet() -> Post {
    modern(&json!({}), 7, "tools/call", &json!({"name": "greet", "arguments": {"name": "Ada"}}))
}

fn cases() -> Vec<Case> {
    let case = |what, post, status, code| Case { what, post, status, code };
    let mismatch = |what, post| case(what, post, 400, -32020);
    let list = |params: &Value| {
        let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": params});
        Post::message(&message).with("mcp-protocol-version", "2026-07-28").with("mcp-method", "tools/list")
    };
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    let removed = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];
    let removed = removed.map(|method| case(method, modern(&json!({}), 7, method, &json!({})), 404, -32601));
    let mut cases = vec![
        mismatch("a version that is another", greet().with("mcp-protocol-version", "2025-11-25")),
        mismatch("a version that nobody knows", greet().with("mcp-protocol-version", "2099-01-01")),
        mismatch("no version", greet().without("mcp-protocol-version")),
        mismatch("two versions", greet().again("mcp-protocol-version", "2026-07-28")),
        mismatch("another method", greet().with("mcp-method", "tools/list")),
        mismatch("a method in other letters", greet().with("mcp-method", "Tools/Call")),
        mismatch("no method", greet().without("mcp-method")),
        mismatch("two methods", greet().again("mcp-method", "tools/list")),
        mismatch("another name", greet().with("mcp-name", "slow")),
        mismatch("a name in other letters", greet().with("mcp-name", "Greet")),
        mismatch("no name", greet().without("mcp-name")),
        mismatch("two names", greet().again("mcp-name", "slow")),
        mismatch("another name in base64", greet().with("mcp-name", "=?base64?c2xvdw==?=")),
        mismatch("a name in bad base64", greet().with("mcp-name", "=?base64?c2xvdw?=")),
        case("no _meta", list(&json!({})), 400, -32602),
        case("no version in _meta", list(&json!({"_meta": {capabilities: {}}})), 400, -32602),
        case("no capabilities", list(&json!({"_meta": {version: "2026-07-28"}})), 400, -32602),
        case(
            "capabilities that are none",
            list(&json!({"_meta": {version: "2026-07-28", capabilities: 1}})),
            400,
            -32602,
        ),
        case(
            "a version that is no text",
            list(&json!({"_meta": {version: 2026, capabilities: {}}})),
            400,
            -32602,
        ),
        case("an unknown method", modern(&json!({}), 7, "unknown/method", &json!({})), 404, -32601),
    ];
    cases.extend(removed);
    cases
}

#[tokio::test]
async fn a_request_that_disagrees_with_itself_is_refused_and_nothing_runs() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    for Case { what, post, status, code } in cases() {
        let reply = gateway.mcp.post(&post).await;
        let got = reply.status.as_u16();
        let answer = reply.answer().await;
        assert_eq!((got, &answer["error"]["code"]), (status, &json!(code)), "{what}: {answer}");
        assert_eq!(answer["id"], 7, "{what}: {answer}");
    }
    assert_eq!(gateway.upstream.ledger().await["tools"], json!({}));
}

#[tokio::test]
async fn headers_that_mean_the_same_are_the_same() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    for post in [
        greet(),
        greet().with("mcp-name", "=?base64?Z3JlZXQ=?="),
        greet().with("mcp-name", "  greet  "),
        greet().with("content-type", "application/json; charset=utf-8"),
        greet().with("accept", "text/event-stream;q=0.5, application/json"),
    ] {
        assert_eq!(text(&gateway.mcp.post(&post).await.answer().await), "Hello, Ada!", "{post:?}");
    }
}

#[tokio::test]
async fn a_version_that_is_not_served_is_told_which_are() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2099-01-01",
        "io.modelcontextprotocol/clientCapabilities": {},
    }}});
    let post =
        Post::message(&message).with("mcp-protocol-version", "2099-01-01").with("mcp-method", "tools/list");
    let reply = gateway.mcp.post(&post).await;
    assert_eq!(reply.status, 400);
    let answer = reply.answer().await;
    assert_eq!(answer["error"]["code"], -32022, "{answer}");
    assert_eq!(answer["error"]["data"]["requested"], "2099-01-01", "{answer}");
    let supported = answer["error"]["data"]["supported"].as_array().expect("a list").clone();
    let discovered = Modern::new(&gateway.mcp).request(1, "server/discover", &json!({})).await.answer().await;
    let offered = discovered["result"]["supportedVersions"].as_array().expect("a list");
    assert!(
        !supported.is_empty() && supported.iter().all(|one| offered.contains(one)),
        "{answer}, {discovered}"
    );
}

/// "GET and DELETE: 405" (2026-07-28, streamable HTTP, "Earlier Streamable HTTP Revisions").
#[tokio::test]
async fn the_modern_era_has_no_get_and_no_delete() {
    let gateway = Gateway::start(UpstreamEra::Modern).await;
    let headers = [("mcp-protocol-version", "2026-07-28"), ("accept", "text/event-stream")];
    for reply in [gateway.mcp.get(&headers).await, gateway.mcp.delete(&headers).await] {
        assert_eq!(reply.status, 405);
        assert!(reply.header("allow").is_some_and(|allow| allow.contains("POST")), "{:?}", reply.headers);
    }
}

#[tokio::test]
async fn a_modern_notification_is_accepted() {
    let gateway = Gateway::start(UpstreamEra::Modern).await;
    let message = notification("notifications/cancelled", &json!({"requestId": "none"}));
    let post = Post::message(&message)
        .with("mcp-protocol-version", "2026-07-28")
        .with("mcp-method", "notifications/cancelled");
    let reply = gateway.mcp.post(&post).await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.bytes().await, b"");
}
