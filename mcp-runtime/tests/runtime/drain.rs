//! SIGTERM loses no call.

use crate::{
    backend::Backend,
    manifests::{asking, fixed, fleet},
    process::{Runtime, document, until},
};
use serde_json::json;
use tokio::net::TcpStream;

#[tokio::test]
async fn an_idle_runtime_stops_cleanly() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    // A connection that is kept alive must not hold it up.
    assert_eq!(runtime.tools().await, ["greet"]);
    runtime.signal("-TERM");
    assert_eq!(runtime.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_runtime_without_a_configuration_stops_too() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::start(&["-f", &dir.path().display().to_string()]).await;
    runtime.signal("-INT");
    assert_eq!(runtime.exit().await.code(), Some(0));
}

/// Clients that never pause: whatever connected is answered, and only connecting fails afterwards.
#[tokio::test]
async fn a_busy_runtime_answers_everybody_who_got_in() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let clients = (0..8).map(|_| {
        let request = runtime.modern("/mcp", "tools/call", &json!({"name": "greet"}));
        tokio::spawn(async move {
            let mut answered = 0;
            loop {
                match request.try_clone().unwrap().send().await {
                    Ok(response) => assert!(document(response).await["result"].is_object()),
                    Err(error) if error.is_connect() => return answered,
                    Err(error) => panic!("after {answered}: {error:?}"),
                }
                answered += 1;
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    until("traffic", || async {
        let metrics = runtime.admin("/metrics").await;
        metrics.contains("mcpfleet_http_requests_total{route=\"mcp\",code=\"200\"}").then_some(())
    })
    .await;
    runtime.signal("-TERM");
    for client in clients {
        assert!(client.await.unwrap() > 0);
    }
    assert_eq!(runtime.exit().await.code(), Some(0));
}

/// Needs the `http` backend.
#[tokio::test]
async fn calls_in_flight_are_answered_and_the_listener_is_closed() {
    let backend = Backend::start().await;
    let dir = fleet(&[asking("work", &backend.url())]);
    let runtime = Runtime::on(dir.path()).await;
    let modern = runtime.modern("/mcp", "tools/call", &json!({"name": "work"}));
    let legacy = runtime.legacy("/mcp", "tools/call", &json!({"name": "work"}));
    let calls = [modern, legacy].map(|request| tokio::spawn(async move { request.send().await.unwrap() }));
    backend.until_arrived(2).await;
    runtime.signal("-TERM");
    let data = runtime.data;
    until("the listener to close", || async { TcpStream::connect(data).await.is_err().then_some(()) }).await;
    assert!(runtime.readyz().await.1["reason"].as_str().unwrap().contains("shutting down"));
    assert_eq!(runtime.admin("/livez").await, "ok\n");
    backend.answer(2);
    for call in calls {
        assert_eq!(document(call.await.unwrap()).await["result"]["content"][0]["text"], "done");
    }
    assert_eq!(runtime.exit().await.code(), Some(0));
}

/// Needs the `http` backend.
#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let backend = Backend::start().await;
    let dir = fleet(&[asking("work", &backend.url())]);
    let runtime = Runtime::on(dir.path()).await;
    let request = runtime.modern("/mcp", "tools/call", &json!({"name": "work"}));
    let call = tokio::spawn(async move { request.send().await });
    backend.until_arrived(1).await;
    runtime.signal("-TERM");
    until("the drain", || async {
        runtime.logs().iter().any(|line| line.contains("listener closed")).then_some(())
    })
    .await;
    runtime.signal("-TERM");
    assert_eq!(runtime.exit().await.code(), Some(130));
    assert!(call.await.unwrap().is_err());
}
