//! The bounded queue with real calls. Needs the `http` backend.

use crate::{
    backend::Backend,
    manifests::{asking, server, write},
    process::{Runtime, document, until},
};
use reqwest::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// One place to run, and `queue` to wait.
async fn narrow(backend: &Backend, queue: u32) -> (tempfile::TempDir, Arc<Runtime>) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "server.yaml", &bounded(1, queue));
    write(dir.path(), "tool.yaml", &asking("work", &backend.url()));
    let runtime = Runtime::on(dir.path()).await;
    (dir, Arc::new(runtime))
}

fn bounded(concurrency: u32, queue: u32) -> String {
    server(
        "support",
        &format!("  admission: {{concurrency: {concurrency}, queueLength: {queue}, queueTimeout: 1h}}\n"),
    )
}

fn call(runtime: &Arc<Runtime>) -> tokio::task::JoinHandle<reqwest::Response> {
    let request = runtime.modern("/mcp", "tools/call", &json!({"name": "work"}));
    tokio::spawn(async move { request.send().await.unwrap() })
}

async fn until_queued(runtime: &Runtime, count: u32) {
    let line = format!("mcpfleet_queue_depth{{server=\"agents/support\"}} {count}\n");
    until("the queue", || async { runtime.admin("/metrics").await.contains(&line).then_some(()) }).await;
}

#[tokio::test]
async fn one_more_than_fits_is_refused_and_nobody_else_is_lost() {
    let backend = Backend::start().await;
    let (_dir, runtime) = narrow(&backend, 2).await;
    let running = call(&runtime);
    backend.until_arrived(1).await;
    let waiting = [call(&runtime), call(&runtime)];
    until_queued(&runtime, 2).await;

    let refused = call(&runtime).await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let retry: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&retry));
    assert_eq!(document(refused).await["error"]["code"], -31_503);
    assert_eq!(backend.arrived(), 1, "who waits has not begun");

    backend.answer(3);
    for call in waiting.into_iter().chain([running]) {
        assert_eq!(document(call.await.unwrap()).await["result"]["content"][0]["text"], "done");
    }
    assert_eq!(backend.arrived(), 3);
    until_queued(&runtime, 0).await;
}

#[tokio::test]
async fn wider_bounds_apply_live_and_lose_nobody() {
    let backend = Backend::start().await;
    let (dir, runtime) = narrow(&backend, 4).await;
    let calls = [call(&runtime), call(&runtime), call(&runtime)];
    backend.until_arrived(1).await;
    until_queued(&runtime, 2).await;
    write(dir.path(), "server.yaml", &bounded(3, 4));
    backend.until_arrived(3).await;
    backend.answer(3);
    for call in calls {
        assert_eq!(call.await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_modern_client_that_leaves_gives_its_place_up() {
    let backend = Backend::start().await;
    let (_dir, runtime) = narrow(&backend, 4).await;
    let leaves = call(&runtime);
    backend.until_arrived(1).await;
    let stays = call(&runtime);
    until_queued(&runtime, 1).await;
    leaves.abort();
    // The place is free although the backend has not answered.
    backend.until_arrived(2).await;
    backend.answer(2);
    assert_eq!(stays.await.unwrap().status(), StatusCode::OK);
    until("the count", || async {
        runtime.admin("/metrics").await.contains("outcome=\"cancelled\"} 1").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_legacy_call_goes_on_when_its_client_leaves() {
    let backend = Backend::start().await;
    let (_dir, runtime) = narrow(&backend, 4).await;
    let request = runtime.legacy("/mcp", "tools/call", &json!({"name": "work"}));
    let leaves = tokio::spawn(async move { request.send().await });
    backend.until_arrived(1).await;
    leaves.abort();
    backend.answer(1);
    until("the call", || async {
        runtime.admin("/metrics").await.contains("tool=\"work\",outcome=\"ok\"} 1").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_deadline_is_told_to_the_model() {
    let backend = Backend::start().await;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "server.yaml", &bounded(1, 1));
    write(dir.path(), "tool.yaml", &format!("{}  timeout: 20ms\n", asking("work", &backend.url())));
    let runtime = Arc::new(Runtime::on(dir.path()).await);
    let answer = document(call(&runtime).await.unwrap()).await;
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("20 ms"), "{answer}");
    assert!(runtime.admin("/metrics").await.contains("outcome=\"timeout\"} 1"));
}

#[tokio::test]
async fn readiness_does_not_wait_in_the_queue() {
    let backend = Backend::start().await;
    let (_dir, runtime) = narrow(&backend, 0).await;
    let running = call(&runtime);
    backend.until_arrived(1).await;
    for _ in 0..3 {
        assert_eq!(runtime.readyz().await.0, StatusCode::OK);
    }
    backend.answer(1);
    assert_eq!(running.await.unwrap().status(), StatusCode::OK);
}
