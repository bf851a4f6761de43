//! MCP as raw HTTP, for what a client library would not send or show.

use anyhow::{Context as _, anyhow};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// A client's revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// 2025-11-25: initialize, no metadata per request.
    Legacy,
    /// 2026-07-28: each request carries its version and capabilities.
    Modern,
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, as JSON or `null`.
    pub body: Value,
}

/// Sends one JSON-RPC request to an MCP endpoint.
///
/// # Errors
/// No HTTP answer came.
pub async fn send(url: &str, era: Era, method: &str, params: Value) -> anyhow::Result<Reply> {
    let mut params = params;
    let client = reqwest::Client::builder().danger_accept_invalid_certs(true).build()?;
    let mut request = client.post(url).header("accept", "application/json, text/event-stream");
    match era {
        Era::Legacy => request = request.header("mcp-protocol-version", "2025-11-25"),
        Era::Modern => {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "e2e", "version": "1"},
            });
            request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
            if let Some(name) = params["name"].as_str() {
                request = request.header("mcp-name", name);
            }
        }
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let response = request.json(&body).send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    Ok(Reply { status, headers, body: serde_json::from_str(&text).unwrap_or_default() })
}

/// Names of the tools that a server lists.
///
/// # Errors
/// No list came; what came instead is in the error.
pub async fn list_tools(url: &str, era: Era) -> anyhow::Result<Vec<String>> {
    let reply = send(url, era, "tools/list", json!({})).await?;
    let tools = reply.body["result"]["tools"].as_array().ok_or_else(|| anyhow!("no list: {reply:?}"))?;
    Ok(tools.iter().filter_map(|tool| tool["name"].as_str().map(String::from)).collect())
}

/// Calls a tool and returns its result: text and whether the tool failed.
///
/// # Errors
/// No result came; what came instead is in the error.
pub async fn call_tool(url: &str, era: Era, name: &str, arguments: Value) -> anyhow::Result<(String, bool)> {
    let reply = send(url, era, "tools/call", json!({"name": name, "arguments": arguments})).await?;
    let result = reply.body.get("result").with_context(|| format!("no result: {reply:?}"))?;
    let text = result["content"][0]["text"].as_str().unwrap_or_default().to_owned();
    Ok((text, result["isError"] == true))
}
