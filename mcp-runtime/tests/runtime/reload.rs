//! Files change while it serves.

use crate::{
    manifests::{fixed, fleet, server, write},
    process::{Runtime, document, until},
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink};

#[tokio::test]
async fn a_new_tool_appears_and_a_broken_file_keeps_the_old() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    write(dir.path(), "more.yaml", &fixed("wave", "bye"));
    until("the new tool", || async { (runtime.tools().await.len() == 2).then_some(()) }).await;

    write(dir.path(), "more.yaml", "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpTool\nspec: {oops\n");
    let rejected = until("the refusal", || async {
        let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
        status["agents/support"]["rejected"]["message"].as_str().map(ToOwned::to_owned)
    })
    .await;
    assert!(rejected.contains("more.yaml"), "{rejected}");
    assert_eq!(runtime.tools().await, ["greet", "wave"]);
    assert!(
        runtime.admin("/metrics").await.contains("mcpfleet_config_reloads_total{outcome=\"rejected\"} 1")
    );
    let told =
        runtime.logs().iter().filter(|line| line.contains("more.yaml") && line.contains("error:")).count();
    assert!(told > 0);

    write(dir.path(), "more.yaml", &fixed("bow", "hm"));
    until("the mended file", || async { (runtime.tools().await == ["bow", "greet"]).then_some(()) }).await;
    let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
    assert_eq!(status["agents/support"]["rejected"], Value::Null);
    // A tool that is gone takes its series along.
    assert!(!runtime.admin("/metrics").await.contains("wave"));
}

#[tokio::test]
async fn a_tool_that_compile_refuses_is_left_out_and_the_rest_serves() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let bad = fixed("bad", "x").replace("type: integer", "type: integr");
    write(dir.path(), "bad.yaml", &bad);
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(runtime.tools().await, ["greet"]);
    assert!(runtime.logs().iter().any(|line| line.contains("InvalidSchema") && line.contains("agents/bad")));
}

#[tokio::test]
async fn a_mounted_configuration_is_followed_through_the_data_link() {
    let dir = tempfile::tempdir().unwrap();
    let config = |text: &str| {
        json!({
            "format": 1, "server": {"namespace": "agents", "name": "support"},
            "listener": {"tls": null, "allowedOrigins": []}, "access": "Anonymous",
            "admission": {"concurrency": 4, "queueLength": 4, "queueTimeoutMs": 1000},
            "tools": [{"name": "greet", "object": "greet", "inputSchema": {"type": "object"}, "timeoutMs": 1000,
                       "backend": {"static": {"text": text}}}],
            "upstreams": [], "providers": [], "servesModels": false,
        })
        .to_string()
    };
    let publish = |version: &str, text: &str| {
        fs::create_dir(dir.path().join(version)).unwrap();
        fs::write(dir.path().join(version).join("config.json"), text).unwrap();
        symlink(version, dir.path().join("..tmp")).unwrap();
        fs::rename(dir.path().join("..tmp"), dir.path().join("..data")).unwrap();
    };
    symlink("..data/config.json", dir.path().join("config.json")).unwrap();
    let path = dir.path().join("config.json").display().to_string();
    // No configuration yet: it waits for one.
    let runtime = Runtime::start(&["--config", &path]).await;
    assert!(runtime.readyz().await.1["reason"].as_str().unwrap().contains("no valid configuration"));
    publish("..1", &config("one"));
    runtime.until_ready().await;
    let said = || async {
        let call = runtime.legacy("/mcp", "tools/call", &json!({"name": "greet"}));
        let answer = document(call.send().await.unwrap()).await;
        answer["result"]["content"][0]["text"].as_str().map(ToOwned::to_owned)
    };
    assert_eq!(said().await.as_deref(), Some("one"));
    publish("..2", &config("two"));
    until("the second configuration", || async { (said().await.as_deref() == Some("two")).then_some(()) })
        .await;
    publish("..3", &config("three").replace("\"format\":1", "\"format\":99"));
    until("the refusal", || async {
        let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
        status["rejected"]["message"].as_str().filter(|why| why.contains("format 99")).map(|_| ())
    })
    .await;
    assert_eq!(said().await.as_deref(), Some("two"));
    assert_eq!(runtime.readyz().await.0, 200);
}

#[tokio::test]
async fn a_server_that_is_refused_keeps_what_it_had() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let closed = server("support", "").replace("auth: {anonymous: {}}", "auth: {}");
    write(dir.path(), "server.yaml", &closed);
    until("the refusal", || async {
        let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
        let why = status["agents/support"]["rejected"]["message"].as_str().map(ToOwned::to_owned);
        why.filter(|why| why.contains("spec.auth"))
    })
    .await;
    assert_eq!(runtime.tools().await, ["greet"]);
}
