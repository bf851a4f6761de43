//! Which call goes through which session of a legacy upstream.

use crate::{
    callers::{Client, tool_call},
    mcp::{connected, count, legacy, method, said, send, tool},
    server::{Seen, Server, full},
};
use mcpfleet_runtime::upstream::Pool;
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;

/// A legacy server whose sessions are `s-1`, `s-2`, ...; the first is that of the lists. Each call takes a permit.
async fn numbering(gate: Arc<Semaphore>) -> Server {
    let sessions = Arc::new(AtomicUsize::new(0));
    Server::start(move |seen| {
        let (sessions, gate) = (sessions.clone(), gate.clone());
        async move {
            let opened = usize::from(method(&seen) == "initialize");
            let session = format!("s-{}", sessions.fetch_add(opened, Ordering::SeqCst) + opened);
            if let Some(answer) = legacy(&seen, &session, &[tool("t")]) {
                return answer;
            }
            if method(&seen) != "tools/call" {
                return Ok(full(405, "", ""));
            }
            gate.acquire().await.unwrap().forget();
            said(&seen, "ok")
        }
    })
    .await
}

fn open_gate() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(1_000))
}

/// The sessions of the calls, in order.
fn sessions(server: &Server) -> Vec<String> {
    let seen = server.seen();
    let calls = seen.iter().filter(|seen| method(seen) == "tools/call");
    calls.map(|seen: &Seen| seen.header("mcp-session-id").unwrap().to_owned()).collect()
}

async fn call_as(pool: &Pool, client: Client) {
    send(pool, "up", &tool_call("t", &json!({})), &client.silent()).await.unwrap();
}

#[tokio::test]
async fn a_session_of_the_pool_is_used_again_by_the_same_principal_only() {
    let server = numbering(open_gate()).await;
    let pool = connected(&server).await;
    let roots = || json!({"roots": {}});
    call_as(&pool, Client::modern(1).offering(roots())).await;
    call_as(&pool, Client::modern(1).offering(roots())).await;
    call_as(&pool, Client::modern(2).offering(roots())).await;
    call_as(&pool, Client::modern(1).offering(json!({"sampling": {}}))).await;
    call_as(&pool, Client::modern(1).offering(roots())).await;
    assert_eq!(sessions(&server), ["s-2", "s-2", "s-3", "s-4", "s-2"]);
}

#[tokio::test]
async fn clients_of_whom_nothing_can_be_asked_share_one_of_their_principal() {
    let server = numbering(open_gate()).await;
    let pool = connected(&server).await;
    for partition in [0, 0, 1, 0] {
        call_as(&pool, Client::modern(partition)).await;
    }
    assert_eq!(sessions(&server), ["s-2", "s-2", "s-3", "s-2"]);
}

#[tokio::test]
async fn a_session_of_the_pool_carries_one_call_at_a_time() {
    let gate = Arc::new(Semaphore::new(0));
    let server = numbering(gate.clone()).await;
    let pool = connected(&server).await;
    let roots = || json!({"roots": {}});
    let both = async {
        tokio::join!(
            call_as(&pool, Client::modern(1).offering(roots())),
            call_as(&pool, Client::modern(1).offering(roots()))
        )
    };
    let release = async {
        server.seen_until(|seen| count(seen, "tools/call") == 2).await;
        gate.add_permits(2);
    };
    tokio::join!(both, release);
    let mut used = sessions(&server);
    used.sort();
    assert_eq!(used, ["s-2", "s-3"]);
}

#[tokio::test]
async fn a_legacy_client_has_one_of_its_own_until_it_ends() {
    let server = numbering(open_gate()).await;
    let pool = connected(&server).await;
    for session in [1, 2, 1] {
        call_as(&pool, Client::legacy(session)).await;
    }
    assert_eq!(sessions(&server), ["s-2", "s-3", "s-2"]);
    pool.forget([1; 16]);
    let seen = server.seen_until(|seen| count(seen, "DELETE") == 1).await;
    assert_eq!(seen.last().unwrap().header("mcp-session-id"), Some("s-2"));
    call_as(&pool, Client::legacy(1)).await;
    assert_eq!(sessions(&server).last().unwrap(), "s-4");
}

#[tokio::test]
async fn a_session_whose_call_was_given_up_is_not_given_to_another() {
    let gate = Arc::new(Semaphore::new(0));
    let server = numbering(gate.clone()).await;
    let pool = connected(&server).await;
    let given_up = tokio::spawn({
        let pool = pool.clone();
        async move { call_as(&pool, Client::modern(1).offering(json!({"roots": {}}))).await }
    });
    server.seen_until(|seen| count(seen, "tools/call") == 1).await;
    given_up.abort();
    server.seen_until(|seen| count(seen, "notifications/cancelled") == 1).await;
    let seen = server.seen_until(|seen| count(seen, "DELETE") == 1).await;
    assert!(seen.iter().any(|seen| method(seen) == "DELETE" && seen.header("mcp-session-id") == Some("s-2")));
    // One for the call that was given up, should it still be there.
    gate.add_permits(2);
    call_as(&pool, Client::modern(1).offering(json!({"roots": {}}))).await;
    assert_eq!(sessions(&server), ["s-2", "s-3"]);
}

#[tokio::test]
async fn a_log_level_is_asked_for_once_a_session() {
    let server = Server::start(|seen| async move {
        if method(&seen) == "initialize" {
            let hello = json!({
                "protocolVersion": "2025-06-18", "capabilities": {"tools": {}, "logging": {}},
                "serverInfo": {"name": "test", "version": "1"},
            });
            let mut response = crate::mcp::result(&seen, hello).unwrap();
            response.headers_mut().insert("mcp-session-id", "s-1".parse().unwrap());
            return Ok(response);
        }
        match legacy(&seen, "s-1", &[tool("t")]) {
            Some(answer) => answer,
            None if method(&seen) == "GET" => Ok(full(405, "", "")),
            None => said(&seen, "ok"),
        }
    })
    .await;
    let pool = connected(&server).await;
    call_as(&pool, Client::legacy(1).curious()).await;
    call_as(&pool, Client::legacy(1).curious()).await;
    let seen = server.seen();
    let asked: Vec<_> = seen.iter().filter(|seen| method(seen) == "logging/setLevel").collect();
    assert_eq!((asked.len(), asked[0].json()["params"]["level"].clone()), (1, json!("debug")));
    assert_eq!(asked[0].header("mcp-protocol-version"), Some("2025-06-18"));
}
