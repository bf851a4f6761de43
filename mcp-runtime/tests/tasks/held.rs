//! A tool of ours that says `async`, whose work waits until the test lets it go; and clients that know no tasks.

use crate::{
    manifests::{server, write},
    process::{Runtime, document, until},
    script::count,
    server::{Server, full},
};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;
use tokio::sync::Semaphore;

/// What does the work.
pub(crate) struct Work {
    pub(crate) service: Server,
    pub(crate) gate: Arc<Semaphore>,
}

impl Work {
    /// Answers `text` when it is let go.
    pub(crate) async fn saying(text: &'static str) -> Self {
        let gate = Arc::new(Semaphore::new(0));
        let held = gate.clone();
        let service = Server::start(move |_| {
            let gate = held.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                Ok(full(200, "text/plain", text))
            }
        })
        .await;
        Self { service, gate }
    }

    /// How often it was begun.
    pub(crate) fn begun(&self) -> usize {
        self.service.seen().len()
    }

    pub(crate) async fn until_begun(&self) {
        self.service.seen_until(|seen| !seen.is_empty()).await;
    }

    /// A server with the tool `export`, and more in its spec.
    pub(crate) fn manifests(&self, more: &str) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "server.yaml", &server("support", more));
        let tool = format!(
            "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpTool\nmetadata: {{name: export, namespace: agents}}\nspec:\n  \
             description: Exports.\n  timeout: 2s\n  async: {{}}\n  inputSchema: {{type: object, properties: {{id: {{type: integer}}}}}}\n  \
             backend: {{http: {{url: '{}'}}}}\n",
            self.service.url("/export")
        );
        write(dir.path(), "tool.yaml", &tool);
        dir
    }
}

/// Runtimes that share session keys.
pub(crate) async fn replica(manifests: &Path, keys: &Path, drain: &str) -> Runtime {
    let (manifests, keys) = (manifests.display().to_string(), keys.display().to_string());
    let flags =
        ["-f", &manifests, "--session-keys", &keys, "--peer", "127.0.0.1:0", "--drain-timeout", drain];
    Runtime::start(&flags).await
}

/// The result of a legacy call.
pub(crate) async fn legacy_call(runtime: &Runtime, tool: &str, arguments: Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    let answer = document(runtime.legacy("/mcp", "tools/call", &params).send().await.unwrap()).await;
    assert!(answer.get("result").is_some(), "{answer}");
    answer["result"].clone()
}

/// What `task_status` says.
pub(crate) async fn legacy_status(runtime: &Runtime, id: &str, wait: u64) -> Value {
    legacy_call(runtime, "task_status", json!({"taskId": id, "wait": wait})).await
}

/// Starts `export` as a client that knows no tasks does.
pub(crate) async fn legacy_start(runtime: &Runtime) -> String {
    let started = legacy_call(runtime, "export_start", json!({"id": 1})).await;
    assert_eq!(started["structuredContent"]["status"], "working", "{started}");
    started["structuredContent"]["taskId"].as_str().unwrap().to_owned()
}

pub(crate) async fn until_listed_tool(runtime: &Runtime, tool: &str) {
    until("the tools", || async { runtime.tools().await.iter().any(|listed| listed == tool).then_some(()) })
        .await;
}

/// Calls of the tool that an upstream has seen.
pub(crate) fn calls(upstream: &Server) -> usize {
    count(&upstream.seen(), "tools/call")
}
