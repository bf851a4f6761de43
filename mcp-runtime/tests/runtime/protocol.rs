//! Both eras on one endpoint.

use crate::{
    manifests::{fixed, fleet},
    process::{Runtime, document},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn a_legacy_client_initialises_lists_and_calls() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let hello = document(runtime.legacy("/mcp", "initialize", &params).send().await.unwrap()).await;
    assert_eq!(hello["result"]["protocolVersion"], "2025-11-25");
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let noted = runtime.http.post(runtime.url("/mcp")).json(&note).send().await.unwrap();
    assert_eq!(noted.status(), StatusCode::ACCEPTED);
    let pong = document(runtime.legacy("/mcp", "ping", &json!({})).send().await.unwrap()).await;
    assert_eq!(pong["result"], json!({}));
    assert_eq!(runtime.tools().await, ["greet"]);
    let params = json!({"name": "greet", "arguments": {"id": 1}});
    let called = document(runtime.legacy("/mcp", "tools/call", &params).send().await.unwrap()).await;
    assert_eq!(called["result"], json!({"content": [{"type": "text", "text": "hello"}]}));
}

#[tokio::test]
async fn a_modern_client_discovers_lists_and_calls() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let found = document(runtime.modern("/mcp", "server/discover", &json!({})).send().await.unwrap()).await;
    assert_eq!(found["result"]["supportedVersions"][0], "2026-07-28");
    let listed = document(runtime.modern("/mcp", "tools/list", &json!({})).send().await.unwrap()).await;
    assert_eq!(listed["result"]["tools"][0]["name"], "greet");
    assert_eq!(listed["result"]["resultType"], "complete");
    // Absent arguments are an empty object.
    let called = runtime.modern("/mcp", "tools/call", &json!({"name": "greet"})).send().await.unwrap();
    assert_eq!(document(called).await["result"]["content"][0]["text"], "hello");
}

#[tokio::test]
async fn a_client_that_takes_only_event_streams_gets_one() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let request = runtime.http.post(runtime.url("/mcp")).header("accept", "text/event-stream").json(&body);
    let text = request.send().await.unwrap().text().await.unwrap();
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let message: Value = serde_json::from_str(data).unwrap();
    assert_eq!(message["result"]["tools"][0]["name"], "greet");
}

#[tokio::test]
async fn http2_in_the_clear_works_too() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let http2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let response = http2.post(runtime.url("/mcp")).json(&body).send().await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(document(response).await["result"]["tools"][0]["name"], "greet");
}

#[tokio::test]
async fn calls_are_counted_by_tools_of_the_catalogue_only() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    for name in ["greet", "made-up-1", "made-up-2"] {
        runtime.legacy("/mcp", "tools/call", &json!({"name": name})).send().await.unwrap();
    }
    let metrics = runtime.admin("/metrics").await;
    let counted =
        |labels: &str| metrics.contains(&format!("mcpfleet_calls_total{{server=\"agents/support\",{labels}"));
    assert!(counted("tool=\"greet\",outcome=\"ok\"} 1"), "{metrics}");
    assert!(counted("tool=\"other\",outcome=\"unknown_tool\"} 2"), "{metrics}");
    assert!(!metrics.contains("made-up"), "{metrics}");
}
