//! Legacy sessions that end, and calls that are given up.

use crate::{
    callers::{Client, tool_call},
    mcp::{
        call, connected, count, in_state, legacy, method, modern, pool, said, tool, unavailable, upstream,
    },
    server::{Seen, Server, full, streamed},
};
use bytes::Bytes;
use mcpfleet_config::{Admission as Bounds, status::UpstreamState::Connected};
use mcpfleet_runtime::{admission::Admission, call::CallError, telemetry::AdmissionMetrics, upstream::Pool};
use serde_json::json;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    sync::{Barrier, Semaphore},
    time::Instant,
};

/// A legacy server whose sessions are `s-1`, `s-2`, ... and which knows only the last one.
struct Sessions(AtomicUsize);

impl Sessions {
    fn session(&self, seen: &Seen) -> String {
        let opened = usize::from(method(seen) == "initialize");
        format!("s-{}", self.0.fetch_add(opened, Ordering::SeqCst) + opened)
    }

    fn knows(&self, seen: &Seen) -> bool {
        seen.header("mcp-session-id") == Some(&format!("s-{}", self.0.load(Ordering::SeqCst)))
    }

    fn forget(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// As two SDKs refuse a session: by the status alone, and by an error that answers nothing.
const GONE: &str = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}"#;

async fn forgetful(sessions: &Arc<Sessions>, gone: (u16, &'static str)) -> Server {
    let sessions = sessions.clone();
    Server::start(move |seen| {
        let sessions = sessions.clone();
        async move {
            if method(&seen) == "tools/call" && !sessions.knows(&seen) {
                return Ok(full(gone.0, "application/json", gone.1));
            }
            legacy(&seen, &sessions.session(&seen), &[tool("t")]).unwrap_or_else(|| said(&seen, "ok"))
        }
    })
    .await
}

/// A pool whose calls have a session already.
async fn called(server: &Server) -> Arc<Pool> {
    let pool = connected(server).await;
    call(&pool, "up", "t", json!({})).await.unwrap();
    pool
}

#[tokio::test]
async fn an_ended_session_is_renewed_and_the_call_sent_once_more() {
    for gone in [(404, ""), (400, GONE)] {
        let sessions = Arc::new(Sessions(AtomicUsize::new(0)));
        let server = forgetful(&sessions, gone).await;
        let pool = called(&server).await;
        sessions.forget();
        assert_eq!(call(&pool, "up", "t", json!({})).await.unwrap()["content"][0]["text"], "ok");
        let seen = server.seen();
        assert_eq!((count(&seen, "initialize"), count(&seen, "tools/call")), (3, 3));
        let calls: Vec<_> = seen.iter().filter(|seen| method(seen) == "tools/call").skip(1).collect();
        let session = |at: usize| calls[at].header("mcp-session-id").unwrap().to_owned();
        assert_eq!((session(0).as_str(), session(1).as_str()), ("s-2", "s-4"));
        assert_ne!(calls[0].json()["id"], calls[1].json()["id"]);
    }
}

#[tokio::test]
async fn a_bad_request_that_may_be_the_tools_own_is_not_sent_again() {
    let sessions = Arc::new(Sessions(AtomicUsize::new(0)));
    let server = forgetful(&sessions, (400, "your session with the bank has expired")).await;
    let pool = called(&server).await;
    sessions.forget();
    assert!(unavailable(&pool, "t").await.contains("HTTP 400"));
    assert_eq!(count(&server.seen(), "tools/call"), 2);
}

#[tokio::test]
async fn a_server_that_forgets_every_session_is_asked_twice_and_no_more() {
    let server = Server::start(|seen| async move {
        legacy(&seen, "s-1", &[tool("t")]).unwrap_or_else(|| Ok(full(404, "", "")))
    })
    .await;
    let pool = connected(&server).await;
    let message = unavailable(&pool, "t").await;
    assert!(message.contains("forgets the session"), "{message}");
    assert_eq!(count(&server.seen(), "tools/call"), 2);
}

#[tokio::test]
async fn calls_that_meet_the_end_together_renew_once() {
    const CALLS: usize = 8;
    let sessions = Arc::new(Sessions(AtomicUsize::new(0)));
    let together = Arc::new(Barrier::new(CALLS));
    let server = {
        let (sessions, together) = (sessions.clone(), together.clone());
        Server::start(move |seen| {
            let (sessions, together) = (sessions.clone(), together.clone());
            async move {
                if method(&seen) == "tools/call" && !sessions.knows(&seen) {
                    together.wait().await;
                    return Ok(full(404, "", ""));
                }
                legacy(&seen, &sessions.session(&seen), &[tool("t")]).unwrap_or_else(|| said(&seen, "ok"))
            }
        })
        .await
    };
    let pool = called(&server).await;
    sessions.forget();
    let calls = (0..CALLS).map(|_| call(&pool, "up", "t", json!({})));
    for done in futures::future::join_all(calls).await {
        done.unwrap();
    }
    let seen = server.seen();
    assert_eq!((count(&seen, "initialize"), count(&seen, "tools/call")), (3, 1 + 2 * CALLS));
}

/// More replicas would not give a call its session sooner: autoscaling must not take it for load.
#[tokio::test]
async fn a_call_that_waits_for_a_session_counts_as_blocked() {
    let gate = Arc::new(Semaphore::new(1));
    let server = {
        let gate = gate.clone();
        Server::start(move |seen| {
            let gate = gate.clone();
            async move {
                if method(&seen) == "initialize" {
                    gate.acquire().await.unwrap().forget();
                }
                legacy(&seen, "s-1", &[tool("t")]).unwrap_or_else(|| said(&seen, "ok"))
            }
        })
        .await
    };
    let pool = connected(&server).await;
    let bounds = Bounds { concurrency: 1, queue_length: 0, queue_timeout_ms: 1_000, max_streams: 0 };
    let admission = Admission::new(&bounds, AdmissionMetrics::default(), Arc::default());
    let permit = admission.admit(None).await.unwrap();
    let levels = || admission.signals(Instant::now());
    let waits = async {
        server.seen_until(|seen| count(seen, "initialize") == 2).await;
        let during = levels();
        gate.add_permits(1);
        during
    };
    let (line, caller) = (pool.line("up").unwrap(), Client::modern(0).silent());
    let request = tool_call("t", &json!({}));
    let (outcome, during) = tokio::join!(line.send("up", &request, &caller, Some(&permit)), waits);
    assert!(outcome.is_ok());
    assert_eq!((during.running, during.blocked), (1, 1));
    assert_eq!((levels().running, levels().blocked), (1, 0));
}

#[tokio::test]
async fn giving_up_a_legacy_call_cancels_it_by_name() {
    let server = Server::start(|seen| async move {
        match legacy(&seen, "s-1", &[tool("t")]) {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    })
    .await;
    let pool = connected(&server).await;
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { call(&pool, "up", "t", json!({})).await.map(drop) }
    });
    server.seen_until(|seen| count(seen, "tools/call") == 1).await;
    waiting.abort();
    let seen = server.seen_until(|seen| count(seen, "notifications/cancelled") == 1).await;
    let named = |wanted: &str| seen.iter().find(|seen| method(seen) == wanted).unwrap().json();
    assert_eq!(named("notifications/cancelled")["params"]["requestId"], named("tools/call")["id"]);
}

#[tokio::test]
async fn giving_up_a_modern_call_closes_its_stream() {
    let stream = Arc::new(Mutex::new(None));
    let server = {
        let stream = stream.clone();
        Server::start(move |seen| {
            let stream = stream.clone();
            async move {
                modern(&seen, &[tool("t")]).unwrap_or_else(|| {
                    let (events, response) = streamed("text/event-stream");
                    *stream.lock().unwrap() = Some(events);
                    Ok(response)
                })
            }
        })
        .await
    };
    let pool = connected(&server).await;
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { call(&pool, "up", "t", json!({})).await.map(drop) }
    });
    server.seen_until(|seen| count(seen, "tools/call") == 1).await;
    let events = loop {
        if let Some(events) = stream.lock().unwrap().take() {
            break events;
        }
        tokio::task::yield_now().await;
    };
    events.send(Ok(Bytes::from(":\n\n"))).await.unwrap();
    waiting.abort();
    events.closed().await;
    assert_eq!(count(&server.seen(), "notifications/cancelled"), 0);
}

#[tokio::test]
async fn an_upstream_that_hangs_holds_nobody_up() {
    let hanging = Server::start(|seen| async move {
        match legacy(&seen, "s-1", &[tool("t")]) {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    })
    .await;
    let silent = Server::start(|_| std::future::pending()).await;
    let quick =
        Server::start(|seen| async move { modern(&seen, &[tool("t")]).unwrap_or_else(|| said(&seen, "ok")) })
            .await;
    let pool = pool(&[
        upstream("hanging", &hanging.url("/mcp")),
        upstream("silent", &silent.url("/mcp")),
        upstream("quick", &quick.url("/mcp")),
    ]);
    in_state(&pool, "hanging", Connected).await;
    in_state(&pool, "quick", Connected).await;
    silent.seen_until(|seen| seen.len() == 1).await;
    let hung = tokio::spawn({
        let pool = pool.clone();
        async move { call(&pool, "hanging", "t", json!({})).await.map(drop) }
    });
    hanging.seen_until(|seen| count(seen, "tools/call") == 1).await;
    call(&pool, "quick", "t", json!({})).await.unwrap();
    assert!(!hung.is_finished());
    hung.abort();
    hanging.seen_until(|seen| count(seen, "notifications/cancelled") == 1).await;
    let Err(CallError::Unavailable { message }) = call(&pool, "silent", "t", json!({})).await else {
        panic!()
    };
    assert!(message.contains("has not answered yet"), "{message}");
}
