//! Several servers in one process, and files that hold more than ours.

use crate::{
    manifests::{fixed, fleet, server, write},
    process::{Runtime, document, until},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn several_servers_live_at_their_own_paths() {
    let dir = fleet(&[fixed("greet", "hello")]);
    write(dir.path(), "other.yaml", &server("sales", ""));
    let runtime = Runtime::on(dir.path()).await;
    for path in ["/agents/support/mcp", "/agents/sales/mcp"] {
        let answer = document(runtime.modern(path, "tools/list", &json!({})).send().await.unwrap()).await;
        assert_eq!(answer["result"]["tools"][0]["name"], "greet", "{path}");
    }
    let short = runtime.legacy("/mcp", "tools/list", &json!({})).send().await.unwrap();
    assert_eq!(short.status(), StatusCode::NOT_FOUND);
    let there = document(short).await["endpoints"].clone();
    assert_eq!(there, json!(["/agents/sales/mcp", "/agents/support/mcp"]));
    let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
    assert_eq!(status.as_object().unwrap().len(), 2);

    std::fs::remove_file(dir.path().join("other.yaml")).unwrap();
    until("the short path", || async { (runtime.tools().await == ["greet"]).then_some(()) }).await;
    assert!(!runtime.admin("/metrics").await.contains("mcpfleet_config_info{server=\"agents/sales\""));
}

#[tokio::test]
async fn foreign_kinds_are_passed_over_and_broken_documents_reported() {
    let dir = fleet(&[fixed("greet", "hello")]);
    std::fs::create_dir(dir.path().join("deep")).unwrap();
    let text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x}}\nspec: {{replicas: 1}}\n---\n{}---\n{}",
        fixed("wave", "bye"),
        fixed("odd", "x").replace("description", "descriptoin"),
    );
    write(&dir.path().join("deep"), "mixed.yaml", &text);
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(runtime.tools().await, ["greet", "wave"]);
    let told = runtime.logs().into_iter().find(|line| line.contains("descriptoin")).unwrap();
    assert!(told.contains("mixed.yaml:") && told.contains("agents/odd"), "{told}");
}

#[tokio::test]
async fn an_empty_directory_is_alive_and_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::start(&["-f", &dir.path().display().to_string()]).await;
    assert_eq!(runtime.admin("/livez").await, "ok\n");
    until("the first look", || async { (runtime.admin("/startupz").await == "ok\n").then_some(()) }).await;
    assert_eq!(runtime.readyz().await.0, StatusCode::SERVICE_UNAVAILABLE);
    write(dir.path(), "a.yaml", &server("support", ""));
    write(dir.path(), "b.yaml", &fixed("greet", "hello"));
    runtime.until_ready().await;
    assert_eq!(runtime.tools().await, ["greet"]);
}

#[tokio::test]
async fn the_admin_port_is_read_only() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let url = format!("http://{}/status", runtime.admin);
    assert_eq!(runtime.http.post(url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(runtime.admin("/nope").await.contains("/readyz"));
    assert!(runtime.admin("/healthz").await.contains("agents/support: 1 tools"));
}
