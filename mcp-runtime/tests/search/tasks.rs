//! Tools whose calls are tasks, where clients have to find them.

use crate::{
    manifests::{fleet, server, write},
    process::Runtime,
    shop::{ask, described, names, result},
};
use serde_json::{Value, json};

const MODERN: &str = "2026-07-28";

async fn called(runtime: &Runtime, revision: &str, tool: &str, arguments: Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    result(ask(runtime, revision, "tools/call", &params)).await
}

#[tokio::test]
async fn whoever_follows_tasks_by_tools_finds_what_starts_one_and_follows_it_through_call_tool() {
    let quick = |n: u8| described(&format!("tool-{n}"), "Nothing of interest", "");
    let dir = fleet(&[described("send-mail", "Sends an email", "  async: {}\n"), quick(1), quick(2)]);
    write(dir.path(), "server.yaml", &server("support", "  toolSearch: {above: 1}\n"));
    let runtime = Runtime::on(dir.path()).await;
    for revision in ["2024-11-05", "2025-11-25", MODERN] {
        let listed = result(ask(&runtime, revision, "tools/list", &json!({}))).await;
        assert_eq!(
            names(&listed["tools"]),
            ["search_tools", "call_tool", "task_status", "task_cancel"],
            "{revision}"
        );
        let found = called(&runtime, revision, "search_tools", json!({"query": "email"})).await;
        let found: Value = serde_json::from_str(found["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(names(&found["tools"]), ["send_mail_start"], "{revision}");
        let start = json!({"name": "send_mail_start", "arguments": {"id": 1}});
        let started = called(&runtime, revision, "call_tool", start).await;
        let text = started["content"][0]["text"].as_str().unwrap();
        let id = text.split("taskId ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        let status = json!({"name": "task_status", "arguments": {"taskId": id, "wait": 30}});
        let done = called(&runtime, revision, "call_tool", status).await;
        assert_eq!(done["content"][1]["text"], "done", "{revision}: {done}");
    }
}

#[tokio::test]
async fn whoever_follows_them_by_messages_finds_the_tool_itself() {
    let dir = fleet(&[
        described("send-mail", "Sends an email", "  async: {}\n"),
        described("other", "Nothing of interest", ""),
    ]);
    write(dir.path(), "server.yaml", &server("support", "  toolSearch: {above: 1}\n"));
    let runtime = Runtime::on(dir.path()).await;
    let ask = async |tool: &str, arguments: Value| {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
        });
        let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        result(runtime.modern("/mcp", "tools/call", &params).json(&body)).await
    };
    let found = ask("search_tools", json!({"query": "email"})).await;
    assert_eq!(names(&found["structuredContent"]["tools"]), ["send_mail"], "{found}");
    let made = ask("call_tool", json!({"name": "send_mail", "arguments": {"id": 1}})).await;
    assert_eq!(made["resultType"], "task", "{made}");
}
