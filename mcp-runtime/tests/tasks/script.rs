//! What an upstream of either era says.

use crate::server::{Answer, Seen, full};
use serde_json::{Value, json};

pub(crate) fn method(seen: &Seen) -> String {
    seen.json()["method"].as_str().unwrap_or(seen.method.as_str()).to_owned()
}

pub(crate) fn count(seen: &[Seen], wanted: &str) -> usize {
    seen.iter().filter(|seen| method(seen) == wanted).count()
}

pub(crate) fn message(seen: &Seen, member: &str, value: Value) -> String {
    json!({"jsonrpc": "2.0", "id": seen.json()["id"], member: value}).to_string()
}

pub(crate) fn result(seen: &Seen, value: Value) -> Answer {
    Ok(full(200, "application/json", message(seen, "result", value)))
}

pub(crate) fn error(seen: &Seen, status: u16, code: i64, text: &str) -> Answer {
    let error = json!({"code": code, "message": text});
    Ok(full(status, "application/json", message(seen, "error", error)))
}

pub(crate) fn said(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

/// A modern server that makes tasks; calls are the script's.
pub(crate) fn modern(seen: &Seen) -> Option<Answer> {
    let capabilities = json!({"tools": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}});
    let tools = json!([{"name": "work", "inputSchema": {"type": "object"}}]);
    Some(match method(seen).as_str() {
        "server/discover" => result(
            seen,
            json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": capabilities}),
        ),
        "tools/list" => result(seen, json!({"resultType": "complete", "tools": tools, "ttlMs": 0})),
        _ => return None,
    })
}

/// A legacy server with a tool of each kind; calls are the script's.
pub(crate) fn legacy(seen: &Seen) -> Option<Answer> {
    let tool = |support: &str| json!({"name": support, "inputSchema": {"type": "object"}, "execution": {"taskSupport": support}});
    Some(match method(seen).as_str() {
        "server/discover" => error(seen, 400, -32000, "Bad Request: Server not initialized"),
        "initialize" => {
            let hello = json!({
                "protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                "serverInfo": {"name": "test", "version": "1"},
            });
            let mut response = result(seen, hello).unwrap();
            response.headers_mut().insert("mcp-session-id", "s".parse().unwrap());
            Ok(response)
        }
        // A POST without a method is an answer of the client's.
        "notifications/initialized" | "notifications/cancelled" | "POST" => Ok(full(202, "", "")),
        "GET" => Ok(full(405, "", "")),
        "DELETE" => Ok(full(200, "", "")),
        "tools/list" => {
            result(seen, json!({"tools": [tool("optional"), tool("required"), tool("forbidden")]}))
        }
        _ => return None,
    })
}
