//! What an MCP server of either era says, for scripts; and a pool that is asked about it.

use crate::{
    callers::{Client, tool_call},
    server::{Answer, Seen, Server, full},
};
use mcpfleet_config::{Header, Upstream, UpstreamTools, UpstreamTransport, status::UpstreamState};
use mcpfleet_runtime::{
    call::{CallError, Outcome},
    credentials::Credentials,
    egress::Egress,
    exchange::{Caller, Request},
    outgoing::Signer,
    upstream::{Pace, Pool, Roster},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The method of a JSON-RPC message, or the HTTP method of a request without one.
pub(crate) fn method(seen: &Seen) -> String {
    seen.json()["method"].as_str().unwrap_or(seen.method.as_str()).to_owned()
}

pub(crate) fn methods(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(method).collect()
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

pub(crate) fn error(seen: &Seen, status: u16, code: i64, text: &str, data: Value) -> Answer {
    let error = json!({"code": code, "message": text, "data": data});
    Ok(full(status, "application/json", message(seen, "error", error)))
}

pub(crate) fn tool(name: &str) -> Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

/// A modern server with these tools; calls are the script's.
pub(crate) fn modern(seen: &Seen, tools: &[Value]) -> Option<Answer> {
    Some(match method(seen).as_str() {
        "server/discover" => result(
            seen,
            json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}),
        ),
        "tools/list" => result(seen, json!({"resultType": "complete", "tools": tools, "ttlMs": 0})),
        _ => return None,
    })
}

/// A legacy server with these tools and this session; calls are the script's.
pub(crate) fn legacy(seen: &Seen, session: &str, tools: &[Value]) -> Option<Answer> {
    Some(match method(seen).as_str() {
        "server/discover" => error(seen, 400, -32000, "Bad Request: Server not initialized", Value::Null),
        "initialize" => {
            let hello = json!({
                "protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                "serverInfo": {"name": "test", "version": "1"},
            });
            let mut response = result(seen, hello).unwrap();
            response.headers_mut().insert("mcp-session-id", session.parse().unwrap());
            Ok(response)
        }
        "notifications/initialized" | "notifications/cancelled" => Ok(full(202, "", "")),
        "DELETE" => Ok(full(200, "", "")),
        "tools/list" => result(seen, json!({"tools": tools})),
        _ => return None,
    })
}

/// The text of a good result.
pub(crate) fn said(seen: &Seen, text: &str) -> Answer {
    result(seen, json!({"resultType": "complete", "content": [{"type": "text", "text": text}]}))
}

pub(crate) fn upstream(name: &str, url: &str) -> Upstream {
    let transport = UpstreamTransport::StreamableHttp { url: url.into(), headers: Vec::new() };
    Upstream {
        name: name.into(),
        prefix: format!("{name}_"),
        transport,
        timeout_ms: 60_000,
        scopes: Vec::new(),
        tools: UpstreamTools::default(),
    }
}

pub(crate) fn with_headers(upstream: Upstream, headers: Vec<Header>) -> Upstream {
    let UpstreamTransport::StreamableHttp { url, .. } = upstream.transport else {
        panic!("{} is no URL", upstream.name);
    };
    Upstream { transport: UpstreamTransport::StreamableHttp { url, headers }, ..upstream }
}

/// Nothing is listed again by itself, failures are retried at once, and what is lost stays listed.
pub(crate) fn pace() -> Pace {
    Pace {
        refresh: Duration::from_hours(1),
        refresh_listening: Duration::from_hours(1),
        debounce: Duration::from_millis(1),
        retry_first: Duration::from_millis(1),
        retry_most: Duration::from_millis(5),
        patience: Duration::from_mins(1),
        keep_listed: Duration::from_hours(1),
    }
}

pub(crate) fn pool(upstreams: &[Upstream]) -> Arc<Pool> {
    pool_at(pace(), upstreams)
}

pub(crate) fn pool_at(pace: Pace, upstreams: &[Upstream]) -> Arc<Pool> {
    let egress = Egress::new().unwrap();
    let pool = Pool::with_pace(egress.clone(), Signer::new(egress), pace);
    pool.apply(upstreams, &Arc::new(Credentials::default()));
    Arc::new(pool)
}

/// Waits until the roster fulfils `enough`.
pub(crate) async fn roster_until(pool: &Pool, enough: impl Fn(&Roster) -> bool) -> Arc<Roster> {
    let mut changed = pool.changed();
    changed.wait_for(|roster| enough(roster)).await.unwrap().clone()
}

pub(crate) async fn in_state(pool: &Pool, name: &str, state: UpstreamState) -> Arc<Roster> {
    roster_until(pool, |roster| roster.status.iter().any(|s| s.name == name && s.state == state)).await
}

/// A pool with one upstream, which has answered.
pub(crate) async fn connected(server: &Server) -> Arc<Pool> {
    let pool = pool(&[upstream("up", &server.url("/mcp"))]);
    in_state(&pool, "up", UpstreamState::Connected).await;
    pool
}

pub(crate) async fn call(
    pool: &Pool,
    upstream: &str,
    tool: &str,
    arguments: Value,
) -> Result<Value, CallError> {
    let caller = Client::modern(0).silent();
    match send(pool, upstream, &tool_call(tool, &arguments), &caller).await? {
        Outcome::Forwarded(result) => Ok(serde_json::from_str(result.get()).unwrap()),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn send(
    pool: &Pool,
    upstream: &str,
    request: &Request,
    caller: &Caller,
) -> Result<Outcome, CallError> {
    pool.line(upstream)?.send(upstream, request, caller, None).await
}

pub(crate) async fn unavailable(pool: &Pool, tool: &str) -> String {
    match call(pool, "up", tool, json!({})).await {
        Err(CallError::Unavailable { message }) => message,
        other => panic!("{other:?}"),
    }
}
