//! Each era refuses what belongs to the other.

use crate::client::{initialize, server};
use mcpfleet_everything::Era;
use serde_json::json;

#[tokio::test]
async fn a_legacy_server_knows_nothing_of_discovery() {
    let server = server(Era::Legacy).await;
    let probe = server.modern("server/discover", json!({})).await;
    assert_eq!(probe.status, 400);
    assert_ne!(probe.message["error"]["code"], -32022);

    let session = server.session().await;
    let discover = json!({ "jsonrpc": "2.0", "id": 7, "method": "server/discover", "params": {} });
    let refused = server.legacy(Some(&session), &discover).await;
    assert_eq!(refused.message["error"]["code"], -32601);
    assert_eq!(refused.message["id"], 7);
}

#[tokio::test]
async fn a_legacy_server_offers_its_newest_revision() {
    let server = server(Era::Legacy).await;
    let body = initialize("2026-07-28").to_string();
    let reply = server.request("POST", "/mcp", "", &body).await;
    assert_eq!(reply.message["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(reply.message["result"]["capabilities"]["extensions"], json!(null));
}

#[tokio::test]
async fn a_legacy_server_says_which_tools_lend_themselves_to_tasks() {
    let server = server(Era::Legacy).await;
    let session = server.session().await;
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let reply = server.legacy(Some(&session), &list).await;
    let tools = reply.message["result"]["tools"].as_array().expect("tools").clone();
    let support = |name: &str| {
        let tool = tools.iter().find(|tool| tool["name"] == name).expect("the tool");
        tool["execution"]["taskSupport"].clone()
    };
    assert_eq!(support("failing_job"), "required");
    assert_eq!(support("slow_compute"), "optional");
    assert_eq!(support("greet"), json!(null));
}

#[tokio::test]
async fn a_modern_server_has_no_handshake_and_no_sessions() {
    let server = server(Era::Modern).await;
    let reply = server.legacy(None, &initialize("2025-11-25")).await;
    assert!(reply.message["error"].is_object(), "{}", reply.message);
    assert_eq!(reply.session, None);
    for method in ["GET", "DELETE"] {
        assert_eq!(server.request(method, "/mcp", "mcp-session-id: x\r\n", "").await.status, 405, "{method}");
    }
    let discovered = server.modern("server/discover", json!({})).await;
    assert_eq!(discovered.message["result"]["supportedVersions"], json!(["2026-07-28"]));
}

#[tokio::test]
async fn a_foreign_origin_is_refused() {
    let server = server(Era::Both).await;
    let body = initialize("2025-11-25").to_string();
    let reply = server.request("POST", "/mcp", "origin: http://evil.example.com\r\n", &body).await;
    assert_eq!(reply.status, 403);
}
