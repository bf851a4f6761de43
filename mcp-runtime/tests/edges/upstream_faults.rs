//! Upstreams that fail: what is said, what is never repeated, and how they come back.

use crate::{
    mcp::{
        call, connected, count, in_state, legacy, message, method, modern, pool, pool_at, result,
        roster_until, said, tool, unavailable, upstream,
    },
    server::{Answer, Seen, Server, dies, full, streamed},
};
use bytes::Bytes;
use mcpfleet_config::status::UpstreamState::{Connected, Unreachable};
use mcpfleet_runtime::upstream::Pace;
use serde_json::json;
use std::{io, time::Duration};

/// A modern server whose calls are answered by `fault`.
async fn faulty(fault: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(move |seen| std::future::ready(modern(&seen, &[tool("t")]).unwrap_or_else(|| fault(&seen))))
        .await
}

#[tokio::test]
async fn after_a_transport_error_nothing_is_sent_again() {
    for server in [
        faulty(|_| dies()).await,
        Server::start(|seen| async move { legacy(&seen, "s-1", &[tool("t")]).unwrap_or_else(dies) }).await,
    ] {
        let pool = connected(&server).await;
        let message = unavailable(&pool, "t").await;
        assert!(message.contains("\"up\"") && message.contains("not repeated"), "{message}");
        // The pool looks at the upstream as a whole, and finds it well.
        server.seen_until(|seen| count(seen, "tools/list") == 2).await;
        assert_eq!(count(&server.seen(), "tools/call"), 1);
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_is_not_an_answer() {
    for end in [None, Some(())] {
        let server = faulty(move |_| {
            let (events, response) = streamed("text/event-stream");
            tokio::spawn(async move {
                let _ = events.send(Ok(Bytes::from("data: {\"jsonrpc\":\"2.0\","))).await;
                if end.is_some() {
                    let _ = events.send(Err(io::Error::other("scripted"))).await;
                }
            });
            Ok(response)
        })
        .await;
        let pool = connected(&server).await;
        assert!(unavailable(&pool, "t").await.contains("unknown"));
        assert_eq!(count(&server.seen(), "tools/call"), 1);
    }
}

#[tokio::test]
async fn garbage_is_refused_legibly_and_harms_nothing() {
    type Fault = fn(&Seen) -> Answer;
    let faults: [(Fault, &str); 9] = [
        (|_| Ok(full(200, "text/html", "<html>login</html>")), "text/html"),
        (|_| Ok(full(200, "application/json", "{oops")), "no valid message"),
        (|_| Ok(full(200, "application/json", "[]")), "batches"),
        (
            |_| Ok(full(200, "application/json", r#"{"jsonrpc":"2.0","id":"other","result":{}}"#)),
            "another request",
        ),
        (|seen| result(seen, json!({"resultType": "surprise"})), "unknown resultType"),
        (|seen| result(seen, json!({"resultType": "input_required"})), "neither inputRequests"),
        (|_| Ok(full(202, "", "")), "without an answer"),
        (|_| Ok(full(503, "text/plain", "later")), "overloaded (HTTP 503"),
        (|_| Ok(full(401, "", "")), "refuses our credentials"),
    ];
    for (fault, said) in faults {
        let server = faulty(fault).await;
        let pool = connected(&server).await;
        let message = unavailable(&pool, "t").await;
        assert!(message.contains(said) && message.contains("\"up\""), "{said}: {message}");
        assert_eq!(pool.roster().tools.len(), 1);
    }
}

#[tokio::test]
async fn an_answer_above_the_bound_is_not_read_on() {
    for media in ["application/json", "text/event-stream"] {
        let server = faulty(move |_| {
            let (body, response) = streamed(media);
            tokio::spawn(
                async move { while body.send(Ok(Bytes::from(vec![b'x'; 1 << 20]))).await.is_ok() {} },
            );
            Ok(response)
        })
        .await;
        let pool = connected(&server).await;
        let message = unavailable(&pool, "t").await;
        assert!(message.contains("larger than 8388608 bytes"), "{message}");
    }
}

#[tokio::test]
async fn a_lost_upstream_stays_listed_says_why_and_comes_back() {
    let script = |seen| async move { modern(&seen, &[tool("t")]).unwrap_or_else(|| said(&seen, "ok")) };
    let server = Server::start(script).await;
    let address = server.address;
    let pace = Pace { refresh: Duration::from_millis(5), ..crate::mcp::pace() };
    let pool = pool_at(pace, &[upstream("up", &server.url("/mcp"))]);
    in_state(&pool, "up", Connected).await;
    server.stop().await;
    let roster = in_state(&pool, "up", Unreachable).await;
    assert_eq!(roster.tools.len(), 1);
    assert!(
        roster.status[0].message.as_deref().unwrap().contains("connection refused"),
        "{:?}",
        roster.status
    );
    let message = unavailable(&pool, "t").await;
    assert!(message.contains("connection refused") && message.contains("try later"), "{message}");
    let _again = Server::start_at(address, script).await;
    in_state(&pool, "up", Connected).await;
    call(&pool, "up", "t", json!({})).await.unwrap();
}

#[tokio::test]
async fn an_upstream_that_is_lost_for_long_is_taken_off_the_list() {
    let server = Server::start(|seen| async move { modern(&seen, &[tool("t")]).unwrap() }).await;
    let pace = Pace { refresh: Duration::from_millis(5), keep_listed: Duration::ZERO, ..crate::mcp::pace() };
    let pool = pool_at(pace, &[upstream("up", &server.url("/mcp"))]);
    in_state(&pool, "up", Connected).await;
    server.stop().await;
    let roster = roster_until(&pool, |roster| roster.tools.is_empty()).await;
    assert_eq!(roster.status[0].state, Unreachable);
}

#[tokio::test]
async fn a_server_that_changed_its_era_is_greeted_anew() {
    let old = Server::start(|seen| async move { legacy(&seen, "s-1", &[tool("old")]).unwrap() }).await;
    let address = old.address;
    let pace = Pace { refresh: Duration::from_millis(5), ..crate::mcp::pace() };
    let pool = pool_at(pace, &[upstream("up", &old.url("/mcp"))]);
    in_state(&pool, "up", Connected).await;
    old.stop().await;
    let _new = Server::start_at(address, |seen| async move {
        modern(&seen, &[tool("new")])
            .unwrap_or_else(|| crate::mcp::error(&seen, 404, -32601, "no", json!(null)))
    })
    .await;
    roster_until(&pool, |roster| roster.tools.iter().any(|tool| tool.name == "new")).await;
}

#[tokio::test]
async fn a_server_that_speaks_nothing_of_ours_says_so_in_its_status() {
    let server = Server::start(|seen| async move {
        let data = json!({"supported": ["2031-01-01"], "requested": "2026-07-28"});
        let error = json!({"code": -32022, "message": "unsupported", "data": data});
        Ok(full(400, "application/json", message(&seen, "error", error)))
    })
    .await;
    let pool = pool(&[upstream("up", &server.url("/mcp"))]);
    let roster = in_state(&pool, "up", Unreachable).await;
    assert!(roster.status[0].message.as_deref().unwrap().contains("2031-01-01"), "{:?}", roster.status);
    assert!(server.seen().iter().all(|seen| method(seen) == "server/discover"));
}
