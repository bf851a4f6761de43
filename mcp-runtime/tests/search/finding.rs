//! Clients of every revision list, search and call.

use crate::{
    manifests::{server, write},
    process::{Runtime, document, until},
    shop::{REVISIONS, ask, call, names, result, search, shop, short},
};
use serde_json::{Value, json};

#[tokio::test]
async fn every_revision_finds_and_calls_what_is_not_listed() {
    let dir = shop(&short(""));
    let runtime = Runtime::on(dir.path()).await;
    for revision in REVISIONS {
        let listed = result(ask(&runtime, revision, "tools/list", &json!({}))).await;
        assert_eq!(names(&listed["tools"]), ["search_tools", "call_tool", "help", "ping"], "{revision}");
        let wanted = json!({"name": "search_tools", "arguments": {"query": "refund a customer", "limit": 2}});
        let found = result(ask(&runtime, revision, "tools/call", &wanted)).await;
        let text: Value = serde_json::from_str(found["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(names(&text["tools"])[0], "create_refund", "{revision}: {text}");
        assert_eq!(text["tools"][0]["inputSchema"]["properties"]["id"]["type"], "integer", "{text}");
        let structured = found.get("structuredContent");
        assert_eq!(structured.is_some(), revision >= "2025-06-18", "{revision}");
        assert!(structured.is_none_or(|structured| *structured == text), "{revision}");

        let through =
            json!({"name": "call_tool", "arguments": {"name": "create_refund", "arguments": {"id": 1}}});
        let direct = json!({"name": "create_refund", "arguments": {"id": 1}});
        for way in [through, direct] {
            let called = result(ask(&runtime, revision, "tools/call", &way)).await;
            assert_eq!(called["content"][0]["text"], "done", "{revision}: {called}");
        }
    }
    let metrics = runtime.admin("/metrics").await;
    assert!(
        metrics.contains("tool=\"create_refund\",outcome=\"ok\"} 10"),
        "counted as what was called: {metrics}"
    );
    assert!(metrics.contains("tool=\"search_tools\",outcome=\"ok\"} 5"), "{metrics}");
}

#[tokio::test]
async fn a_list_that_is_short_anyway_stays_as_it_is() {
    let dir = shop("  toolSearch: {above: 7}\n");
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(runtime.tools().await.len(), 7, "not more than `above`");
    write(dir.path(), "server.yaml", &server("support", "  toolSearch: {above: 6}\n"));
    let short = || async { (runtime.tools().await == ["search_tools", "call_tool", "help"]).then_some(()) };
    until("the short list", short).await;
    write(dir.path(), "server.yaml", &server("support", ""));
    until("the whole list", || async { (runtime.tools().await.len() == 7).then_some(()) }).await;
    let absent = document(call(&runtime, "search_tools", json!({"query": "x"})).send().await.unwrap()).await;
    assert_eq!(
        absent["error"]["code"], -32602,
        "where it is off it is a tool like any other that is not there"
    );
}

#[tokio::test]
async fn the_example_shows_it() {
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/tool-search");
    let runtime = Runtime::on(&example).await;
    assert_eq!(runtime.tools().await, ["search_tools", "call_tool", "calendar_list_events"]);
    assert_eq!(names(&search(&runtime, "give the money back").await["tools"])[0], "create_refund");
    assert!(!runtime.logs().iter().any(|line| line.contains("warning:") || line.contains("error:")));
}

#[tokio::test]
async fn nothing_found_is_said_and_the_nearest_are_named() {
    let dir = shop(&short(""));
    let runtime = Runtime::on(dir.path()).await;
    let nothing = search(&runtime, "rfnd crtx").await;
    assert_eq!((&nothing["tools"], &nothing["matched"]), (&json!([]), &json!(0)), "{nothing}");
    assert!(nothing["notice"].as_str().unwrap().contains("no tool that you may use fits"), "{nothing}");
    assert_eq!(nothing["nearest"].as_array().unwrap().len(), 5, "{nothing}");
    assert_eq!(nothing["nearest"][0], "create_refund", "{nothing}");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_told_to_the_model() {
    let dir = shop(&short(""));
    let runtime = Runtime::on(dir.path()).await;
    for (tool, arguments, said) in [
        ("search_tools", json!({}), "query"),
        ("search_tools", json!({"query": ""}), "/query"),
        ("search_tools", json!({"query": "x", "limit": 21}), "/limit"),
        ("search_tools", json!({"query": "x".repeat(1_001)}), "/query"),
        ("search_tools", json!({"query": "x", "what": 1}), "what"),
        ("call_tool", json!({}), "name"),
        ("call_tool", json!({"name": "create_refund", "arguments": []}), "/arguments"),
        ("call_tool", json!({"name": "call_tool", "arguments": {"name": "ping"}}), "itself"),
        ("call_tool", json!({"name": "create_refnd"}), "the nearest names are create_refund"),
        ("call_tool", json!({"name": "create_refund", "arguments": {"id": "x"}}), "/id"),
    ] {
        let failed = result(call(&runtime, tool, arguments)).await;
        let text = failed["content"][0]["text"].as_str().unwrap();
        assert!(failed["isError"] == true && text.contains(said), "{failed}");
    }
    let found =
        result(call(&runtime, "call_tool", json!({"name": "search_tools", "arguments": {"query": "ping"}})));
    assert_eq!(names(&found.await["structuredContent"]["tools"])[0], "ping", "searching through it is fine");
}

#[tokio::test]
async fn an_upstreams_tools_are_found_with_its_name_and_cannot_take_the_helpers() {
    let dir = shop("");
    write(dir.path(), "extra.yaml", &crate::manifests::fixed("search-tools", "mine"));
    let front = "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {name: front, namespace: agents}\n\
                 spec: {auth: {anonymous: {}}, toolSearch: {above: 0}, \
                 upstreams: [{name: inner, serverRef: {name: support}}]}\n";
    write(dir.path(), "front.yaml", front);
    let runtime = Runtime::on(dir.path()).await;
    let searched = until("the upstream's tools", || async {
        let wanted = json!({"name": "search_tools", "arguments": {"query": "refund"}});
        let answer = runtime.modern("/agents/front/mcp", "tools/call", &wanted).send().await.unwrap();
        let found = document(answer).await["result"]["structuredContent"].take();
        (found["matched"] == 1).then_some(found)
    })
    .await;
    assert_eq!(searched["tools"][0]["upstream"], "inner", "{searched}");
    let through = json!({"name": "call_tool", "arguments": {"name": "create_refund"}});
    let called =
        document(runtime.modern("/agents/front/mcp", "tools/call", &through).send().await.unwrap()).await;
    assert_eq!(called["result"]["content"][0]["text"], "done", "{called}");
    let told =
        || runtime.logs().iter().any(|line| line.contains("spec.toolSearch") && line.contains("left out"));
    assert!(told(), "the upstream's search_tools gives way");
}
