//! A server with more tools than fit a list.

use crate::{
    manifests::{fixed, fleet, server, write},
    process::{Runtime, document},
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// Every revision, the oldest first.
pub(crate) const REVISIONS: [&str; 5] =
    ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

/// A tool with a description, and `more` of its spec.
pub(crate) fn described(name: &str, description: &str, more: &str) -> String {
    fixed(name, "done").replace("description: For tests", &format!("description: {description}")) + more
}

/// Seven tools: more than `above: 3` of [`short`]. Two of them with `more` of their spec each.
fn tools(reading: &str, writing: &str) -> Vec<String> {
    vec![
        described("create-refund", "Gives a customer money back", ""),
        described("list-orders", "Orders of a customer", reading),
        described("delete-order", "Removes an order for good", writing),
        described("weather-forecast", "Rain, wind and sun of the next days", ""),
        described("send-mail", "Sends an email", ""),
        described("help", "What to do first", "  priority: High\n"),
        described("ping", "Whether it is there", ""),
    ]
}

pub(crate) fn short(more: &str) -> String {
    format!("  toolSearch: {{above: 3, always: [pin*]{more}}}\n")
}

/// `agents/support` with these tools, and `more` of its spec.
pub(crate) fn shop(more: &str) -> TempDir {
    let dir = fleet(&tools("", ""));
    write(dir.path(), "server.yaml", &server("support", more));
    dir
}

/// The same, with this `auth`, and scopes on the tools for orders.
pub(crate) fn guarded(dir: &Path, auth: &str, more: &str) {
    let text = server("support", more).replace("auth: {anonymous: {}}", &format!("auth: {auth}"));
    write(dir, "server.yaml", &text);
    let tools = tools("  scopes: [orders.read]\n", "  scopes: [orders.write]\n");
    write(dir, "tools.yaml", &tools.join("---\n"));
}

/// A request of a client of some revision.
pub(crate) fn ask(runtime: &Runtime, revision: &str, method: &str, params: &Value) -> RequestBuilder {
    if revision == "2026-07-28" {
        return runtime.modern("/mcp", method, params);
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let request =
        runtime.http.post(runtime.url("/mcp")).header("accept", "application/json, text/event-stream");
    request.header("mcp-protocol-version", revision).json(&body)
}

pub(crate) fn call(runtime: &Runtime, tool: &str, arguments: Value) -> RequestBuilder {
    ask(runtime, "2026-07-28", "tools/call", &json!({"name": tool, "arguments": arguments}))
}

pub(crate) async fn result(request: RequestBuilder) -> Value {
    let answer = document(request.send().await.unwrap()).await;
    match answer.get("result") {
        Some(result) => result.clone(),
        None => panic!("{answer}"),
    }
}

/// What a search found: its structured result.
pub(crate) async fn search(runtime: &Runtime, query: &str) -> Value {
    result(call(runtime, "search_tools", json!({"query": query}))).await["structuredContent"].take()
}

pub(crate) fn names(list: &Value) -> Vec<String> {
    let list = list.as_array().cloned().unwrap_or_else(|| panic!("{list}"));
    list.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}
