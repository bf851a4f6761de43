//! What a server of before 2026-07-28 does with what came later: it does not know the revision, the methods, the headers
//! or the members of `_meta`. And the one member that `rmcp` no longer writes, `execution` (2025-11-25, `server/tools`).

use super::{Mcp, Reply};
use crate::catalog::task_support;
use crate::era::Era;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};

/// Members of `_meta` that came with 2026-07-28.
const MODERN_META: [&str; 4] = [
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/logLevel",
];

/// Answers as a legacy server.
pub(super) async fn answer(request: Request<Incoming>, mcp: &Mcp) -> Reply {
    let (mut parts, body) = request.into_parts();
    if !knows_version(&parts.headers) {
        return refusal(
            StatusCode::BAD_REQUEST,
            -32000,
            "Bad Request: Unsupported protocol version",
            &Value::Null,
        );
    }
    forget_modern_headers(&mut parts.headers);
    let Ok(body) = body.collect().await else {
        return refusal(StatusCode::BAD_REQUEST, -32700, "Bad Request: the body broke off", &Value::Null);
    };
    let body = body.to_bytes();
    let Ok(mut message) = serde_json::from_slice::<Value>(&body) else {
        return mcp.handle(Request::from_parts(parts, Full::new(body))).await;
    };
    if let Some(refused) = refused(&parts, &message) {
        return refused;
    }
    forget_modern_meta(&mut message);
    let lists_tools = message["method"] == "tools/list";
    let reply = mcp.handle(Request::from_parts(parts, Full::new(Bytes::from(message.to_string())))).await;
    if lists_tools { with_execution(reply).await } else { reply }
}

fn knows_version(headers: &HeaderMap) -> bool {
    let Some(version) = headers.get("mcp-protocol-version") else { return true };
    Era::Legacy.versions().iter().any(|known| version.as_bytes() == known.as_str().as_bytes())
}

fn forget_modern_headers(headers: &mut HeaderMap) {
    let modern = |name: &str| name == "mcp-method" || name == "mcp-name" || name.starts_with("mcp-param-");
    let names: Vec<_> = headers.keys().filter(|name| modern(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

fn refused(parts: &Parts, message: &Value) -> Option<Reply> {
    let method = message["method"].as_str()?;
    let in_session = parts.headers.contains_key("mcp-session-id");
    if !in_session && method != "initialize" {
        let message = "Bad Request: Server not initialized";
        return Some(refusal(StatusCode::BAD_REQUEST, -32000, message, &Value::Null));
    }
    let modern = matches!(method, "server/discover" | "subscriptions/listen" | "tasks/update");
    modern.then(|| refusal(StatusCode::OK, -32601, "Method not found", &message["id"]))
}

fn forget_modern_meta(message: &mut Value) {
    let Some(meta) = message.pointer_mut("/params/_meta").and_then(Value::as_object_mut) else { return };
    for member in MODERN_META {
        meta.remove(member);
    }
}

/// Rewrites the events of an answer to `tools/list`, so that tools say how they lend themselves to tasks.
async fn with_execution(reply: Reply) -> Reply {
    let (mut parts, body) = reply.into_parts();
    let Ok(body) = body.collect().await;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    let lines = text.split('\n').map(|line| match line.strip_prefix("data: ") {
        Some(data) => format!("data: {}", said_execution(data)),
        None => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Reply::from_parts(parts, Full::new(Bytes::from(text)).boxed())
}

fn said_execution(data: &str) -> String {
    let Ok(mut message) = serde_json::from_str::<Value>(data) else { return data.to_owned() };
    let Some(tools) = message.pointer_mut("/result/tools").and_then(Value::as_array_mut) else {
        return data.to_owned();
    };
    for tool in tools {
        if let Some(support) = tool["name"].as_str().and_then(task_support) {
            tool["execution"] = json!({ "taskSupport": support.as_str() });
        }
    }
    message.to_string()
}

fn refusal(status: StatusCode, code: i32, message: &str, id: &Value) -> Reply {
    let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
    super::json(status, error.to_string())
}
