//! Clients that listen hear when the list has changed, and else nothing.

use crate::{
    listener::{Listener, get, is_goodbye, listen, tool_capabilities},
    manifests::{fixed, fleet, server, write},
    process::{Runtime, document, until},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::Path;

async fn both(runtime: &Runtime) -> [Listener; 2] {
    [Listener::legacy(runtime, "/mcp").await, Listener::modern(runtime, "/mcp").await]
}

/// Waits until the tool says this.
async fn until_said(runtime: &Runtime, tool: &str, text: &str) {
    until("the new text", || async {
        let call = runtime.legacy("/mcp", "tools/call", &json!({"name": tool}));
        let answer = document(call.send().await.unwrap()).await;
        (answer["result"]["content"][0]["text"] == text).then_some(())
    })
    .await;
}

/// Ends the process, so that everything that was said can be counted.
async fn stop(runtime: Runtime) {
    runtime.signal("-TERM");
    assert_eq!(runtime.exit().await.code(), Some(0));
}

#[tokio::test]
async fn both_eras_hear_of_each_change_once_and_read_the_new_list() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(
        tool_capabilities(&runtime).await,
        [json!({"listChanged": true}), json!({"listChanged": true})]
    );
    let mut listeners = both(&runtime).await;
    write(dir.path(), "more.yaml", &fixed("wave", "bye"));
    for listener in &mut listeners {
        listener.changed().await;
        assert_eq!(runtime.tools().await, ["greet", "wave"]);
    }
    std::fs::remove_file(dir.path().join("more.yaml")).unwrap();
    for listener in &mut listeners {
        listener.changed().await;
        assert_eq!(runtime.tools().await, ["greet"]);
    }
    stop(runtime).await;
    for listener in listeners {
        assert_eq!(listener.rest().await.0, 0);
    }
}

#[tokio::test]
async fn a_change_that_leaves_the_list_equal_is_no_news() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let listeners = both(&runtime).await;
    write(dir.path(), "tools.yaml", &fixed("greet", "other"));
    until_said(&runtime, "greet", "other").await;
    write(dir.path(), "server.yaml", &server("support", "  admission: {concurrency: 3, maxStreams: 77}\n"));
    write(dir.path(), "tools.yaml", &fixed("greet", "third"));
    until_said(&runtime, "greet", "third").await;
    stop(runtime).await;
    for listener in listeners {
        assert_eq!(listener.rest().await.0, 0);
    }
}

#[tokio::test]
async fn after_the_last_notification_of_a_burst_the_list_is_the_last_one() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let mut listeners = both(&runtime).await;
    for round in 1..=20 {
        write(dir.path(), "more.yaml", &fixed(&format!("tool{round}"), "x"));
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
    for listener in &mut listeners {
        let mut told = 0;
        loop {
            listener.changed().await;
            told += 1;
            if runtime.tools().await == ["greet", "tool20"] {
                break;
            }
        }
        assert!(told <= 20, "{told}");
    }
    stop(runtime).await;
}

#[tokio::test]
async fn tools_of_an_upstream_are_news_too() {
    let dir = fleet(&[fixed("greet", "hello")]);
    write(dir.path(), "front.yaml", &server("front", ""));
    let runtime = Runtime::on(dir.path()).await;
    let path = "/agents/front/mcp";
    let mut legacy = Listener::legacy(&runtime, path).await;
    let mut modern = Listener::modern(&runtime, path).await;
    let upstreams = "  upstreams: [{name: inner, prefix: in_, serverRef: {name: support}}]\n";
    write(dir.path(), "front.yaml", &server("front", upstreams));
    for listener in [&mut legacy, &mut modern] {
        listener.changed().await;
        let list = document(runtime.legacy(path, "tools/list", &json!({})).send().await.unwrap()).await;
        assert_eq!(list["result"]["tools"][1]["name"], "in_greet", "{list}");
    }
}

fn small(dir: &Path, max_streams: u32) {
    let admission = format!("  admission: {{concurrency: 1, queueLength: 0, maxStreams: {max_streams}}}\n");
    write(dir, "server.yaml", &server("support", &admission));
}

#[tokio::test]
async fn streams_have_a_bound_of_their_own_and_a_client_that_leaves_makes_room() {
    let dir = fleet(&[fixed("greet", "hello")]);
    small(dir.path(), 2);
    let runtime = Runtime::on(dir.path()).await;
    let [legacy, _modern] = both(&runtime).await;
    for refused in [get(&runtime, "/mcp").await, listen(&runtime, "/mcp").await] {
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "5");
        let answer = document(refused).await;
        assert_eq!(answer["error"]["code"], -31503);
        assert!(answer["error"]["message"].as_str().unwrap().contains("maxStreams"), "{answer}");
    }
    // They take no call's place, of which there is but one.
    until_said(&runtime, "greet", "hello").await;
    drop(legacy);
    until("the place of the client that left", || async {
        (get(&runtime, "/mcp").await.status() == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_without_streams_says_so() {
    let dir = fleet(&[fixed("greet", "hello")]);
    small(dir.path(), 0);
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(tool_capabilities(&runtime).await, [json!({}), json!({})]);
    let legacy = get(&runtime, "/mcp").await;
    assert_eq!(legacy.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(legacy.headers()["allow"], "POST, DELETE");
    let modern = listen(&runtime, "/mcp").await.text().await.unwrap();
    let messages: Vec<Value> = modern
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["params"]["notifications"], json!({}));
    assert!(is_goodbye(messages.last()));
}

#[tokio::test]
async fn other_methods_and_clients_that_take_no_stream_are_refused() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let plain = runtime.http.get(runtime.url("/mcp")).send().await.unwrap();
    assert_eq!(plain.status(), StatusCode::NOT_ACCEPTABLE);
    let modern = runtime.http.get(runtime.url("/mcp")).header("accept", "text/event-stream");
    let modern = modern.header("mcp-protocol-version", "2026-07-28").send().await.unwrap();
    assert_eq!(
        (modern.status(), &modern.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap())
    );
    let deleted = runtime.http.delete(runtime.url("/mcp")).header("mcp-protocol-version", "2026-07-28");
    let deleted = deleted.send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(deleted.headers()["allow"], "POST");
    let foreign = runtime.http.get(runtime.url("/mcp")).header("accept", "text/event-stream");
    let foreign = foreign.header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let filter = json!({"notifications": {"toolsListChanged": true}});
    let json_only = runtime.modern("/mcp", "subscriptions/listen", &filter).build().unwrap();
    let mut json_only = json_only;
    json_only.headers_mut().insert("accept", "application/json".parse().unwrap());
    let json_only = runtime.http.execute(json_only).await.unwrap();
    assert_eq!(json_only.status(), StatusCode::NOT_ACCEPTABLE);
}

/// Calls in flight may take minutes; a stream that is idle must not hold the process as long.
#[tokio::test]
async fn sigterm_ends_streams_cleanly_and_the_process_does_not_wait_for_them() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::start(&["-f", &dir.path().display().to_string(), "--drain-timeout", "1h"]).await;
    runtime.until_ready().await;
    let [legacy, modern] = both(&runtime).await;
    stop(runtime).await;
    assert_eq!(legacy.rest().await, (0, None));
    let (changes, last) = modern.rest().await;
    assert!(changes == 0 && is_goodbye(last.as_ref()), "{last:?}");
}

#[tokio::test]
async fn a_server_that_is_removed_ends_its_streams_and_no_others() {
    let dir = fleet(&[fixed("greet", "hello")]);
    write(dir.path(), "other.yaml", &server("sales", ""));
    let runtime = Runtime::on(dir.path()).await;
    let legacy = Listener::legacy(&runtime, "/agents/sales/mcp").await;
    let modern = Listener::modern(&runtime, "/agents/sales/mcp").await;
    let mut stays = Listener::modern(&runtime, "/agents/support/mcp").await;
    std::fs::remove_file(dir.path().join("other.yaml")).unwrap();
    assert_eq!(legacy.rest().await, (0, None));
    assert!(is_goodbye(modern.rest().await.1.as_ref()));
    write(dir.path(), "more.yaml", &fixed("wave", "bye"));
    stays.changed().await;
}
