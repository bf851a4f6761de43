//! A modern client that can follow tasks.

use crate::{
    manifests::{server, write},
    process::{Runtime, document, until},
    server::Server,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the client says that it can do.
#[derive(Clone, Copy)]
pub(crate) enum Declares {
    Tasks,
    TasksAndForms,
    Nothing,
}

impl Declares {
    fn capabilities(self) -> Value {
        let extensions = json!({"io.modelcontextprotocol/tasks": {}});
        match self {
            Self::Tasks => json!({"extensions": extensions}),
            Self::TasksAndForms => json!({"extensions": extensions, "elicitation": {}}),
            Self::Nothing => json!({}),
        }
    }
}

/// Manifests of a server in front of `upstream`.
pub(crate) fn in_front_of(upstream: &Server) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let upstreams = format!("  upstreams: [{{name: up, remote: {{url: '{}'}}}}]\n", upstream.url("/mcp"));
    write(dir.path(), "server.yaml", &server("support", &upstreams));
    dir
}

/// A runtime in front of `upstream`, which it has listed.
pub(crate) async fn gateway(upstream: &Server, tool: &str) -> (TempDir, Runtime) {
    let dir = in_front_of(upstream);
    let runtime = Runtime::on(dir.path()).await;
    until_listed(&runtime, tool).await;
    (dir, runtime)
}

pub(crate) async fn until_listed(runtime: &Runtime, tool: &str) {
    until("the upstream's tools", || async {
        runtime.tools().await.iter().any(|listed| listed == tool).then_some(())
    })
    .await;
}

/// The whole response to a modern request.
pub(crate) async fn ask(runtime: &Runtime, declares: Declares, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": declares.capabilities(),
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let name = params["taskId"].as_str().or(params["name"].as_str());
    let request = runtime
        .http
        .post(runtime.url("/mcp"))
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    let request = match name {
        Some(name) => request.header("mcp-name", name),
        None => request,
    };
    document(request.json(&body).send().await.unwrap()).await
}

/// The result of a call.
pub(crate) async fn call(runtime: &Runtime, declares: Declares, tool: &str) -> Value {
    let answer = ask(runtime, declares, "tools/call", json!({"name": tool, "arguments": {}})).await;
    assert!(answer.get("result").is_some(), "{answer}");
    answer["result"].clone()
}

pub(crate) async fn get(runtime: &Runtime, id: &str) -> Value {
    ask(runtime, Declares::Tasks, "tasks/get", json!({"taskId": id})).await
}

/// Asks until the task is in this state.
pub(crate) async fn until_status(runtime: &Runtime, id: &str, status: &str) -> Value {
    until(status, || async {
        let task = get(runtime, id).await["result"].clone();
        (task["status"] == status).then_some(task)
    })
    .await
}

/// The id of the task that a result speaks of.
pub(crate) fn id_of(created: &Value) -> String {
    assert_eq!(created["resultType"], "task", "{created}");
    created["taskId"].as_str().unwrap().to_owned()
}

pub(crate) fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {answer}"))
}
