//! Who calls, told by the real binary: tokens of a real issuer, keys of real Secrets, and what reaches others.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "scripts read better so")]

#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../edges/callers.rs"]
mod callers;
mod idp;
mod key_sets;
mod keys;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../runtime/listener.rs"]
mod listener;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../runtime/manifests.rs"]
mod manifests;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../edges/mcp.rs"]
mod mcp;
mod models;
mod outgoing;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../runtime/process.rs"]
mod process;
mod scopes;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../edges/server.rs"]
mod server;
mod signing;
mod streams;
mod tokens;

use process::Runtime;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use std::path::Path;

/// Writes the server `agents/support` with this `auth`, and `more` of its spec (indented by two).
fn guarded(dir: &Path, auth: &str, more: &str) {
    let server =
        manifests::server("support", more).replace("auth: {anonymous: {}}", &format!("auth: {auth}"));
    manifests::write(dir, "server.yaml", &server);
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn list(runtime: &Runtime) -> RequestBuilder {
    runtime.modern("/mcp", "tools/list", &json!({}))
}

fn call(runtime: &Runtime, tool: &str) -> RequestBuilder {
    runtime.modern("/mcp", "tools/call", &json!({"name": tool, "arguments": {}}))
}

/// Names of the tools that the answer to a list has.
async fn names(request: RequestBuilder) -> Vec<String> {
    let answer = process::document(request.send().await.unwrap()).await;
    let tools = answer["result"]["tools"].as_array().cloned().unwrap_or_else(|| panic!("{answer}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

async fn answer(request: RequestBuilder) -> Value {
    process::document(request.send().await.unwrap()).await
}
