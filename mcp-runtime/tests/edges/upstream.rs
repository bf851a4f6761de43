//! Upstreams that work: both eras, pages, streams, names.

use crate::{
    http_backend::{bearer, credentials},
    mcp::{
        call, connected, count, in_state, legacy, message, method, methods, modern, pool, pool_at, result,
        roster_until, said, tool, upstream, with_headers,
    },
    server::{Server, full, streamed},
};
use bytes::Bytes;
use mcpfleet_config::status::UpstreamState::{Connected, Unreachable};
use mcpfleet_runtime::{call::CallError, credentials::Credentials, upstream::Pace};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

#[tokio::test]
async fn a_modern_server_is_listed_and_called() {
    let server = Server::start(|seen| async move {
        modern(&seen, &[tool("echo")]).unwrap_or_else(|| {
            let structured = json!({"resultType": "x", "deep": {"resultType": "y"}});
            result(
                &seen,
                json!({"content": [], "resultType": "complete", "structuredContent": structured, "new": 1}),
            )
        })
    })
    .await;
    let pool = connected(&server).await;
    let roster = pool.roster();
    assert_eq!((roster.tools[0].name.as_str(), roster.tools[0].exposed_name.as_str()), ("echo", "up_echo"));
    let got = call(&pool, "up", "echo", json!({"a": 1})).await.unwrap();
    let structured = json!({"resultType": "x", "deep": {"resultType": "y"}});
    assert_eq!(got, json!({"content": [], "structuredContent": structured, "new": 1}));
    let seen = server.seen();
    assert_eq!(methods(&seen), ["server/discover", "tools/list", "tools/call"]);
    let (sent, last) = (seen[2].json(), &seen[2]);
    assert_eq!((&sent["params"]["name"], &sent["params"]["arguments"]), (&json!("echo"), &json!({"a": 1})));
    assert_eq!(
        (last.header("mcp-name"), last.header("mcp-protocol-version")),
        (Some("echo"), Some("2026-07-28"))
    );
}

#[tokio::test]
async fn a_legacy_server_is_greeted_and_keeps_its_session() {
    let server = Server::start(|seen| async move {
        legacy(&seen, "s-1", &[tool("echo")]).unwrap_or_else(|| said(&seen, "hello"))
    })
    .await;
    let pool = connected(&server).await;
    let got = call(&pool, "up", "echo", json!({})).await.unwrap();
    assert_eq!(got["content"][0]["text"], "hello");
    let seen = server.seen();
    let hello = ["initialize", "notifications/initialized"];
    let order = [&["server/discover"], &hello[..], &["tools/list"], &hello, &["tools/call"]].concat();
    assert_eq!(methods(&seen), order, "calls do not go through the session that lists");
    let (greetings, others): (Vec<_>, Vec<_>) =
        seen[1..].iter().partition(|seen| method(seen) == "initialize");
    assert!(others.iter().all(|seen| seen.header("mcp-session-id") == Some("s-1")));
    let declared = |at: usize| greetings[at].json()["params"]["capabilities"].clone();
    assert!(declared(0)["sampling"].is_object(), "{}", declared(0));
    assert_eq!(declared(1), json!({}), "nobody can be asked through it");

    drop(pool);
    let seen = server.seen_until(|seen| count(seen, "DELETE") == 2).await;
    assert_eq!(seen.last().unwrap().header("mcp-session-id"), Some("s-1"), "the session is not left behind");
}

#[tokio::test]
async fn an_answer_may_come_as_a_stream_and_after_a_question() {
    let ponged = Arc::new(Notify::new());
    let server = Server::start({
        let ponged = ponged.clone();
        move |seen| {
            let ponged = ponged.clone();
            async move {
                if let Some(answer) = legacy(&seen, "s-1", &[tool("slow")]) {
                    return answer;
                }
                if method(&seen) == "POST" {
                    ponged.notify_one();
                    return Ok(full(202, "", ""));
                }
                let (events, response) = streamed("text/event-stream");
                tokio::spawn(async move {
                    let event = |data: &str| Ok(Bytes::from(format!("event: message\ndata: {data}\n\n")));
                    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#;
                    events.send(Ok(Bytes::from("id: 1\ndata:\n\n"))).await.unwrap();
                    events.send(event(progress)).await.unwrap();
                    events.send(event(r#"{"jsonrpc":"2.0","id":"q","method":"ping"}"#)).await.unwrap();
                    ponged.notified().await;
                    let answer = message(&seen, "result", json!({"content": [], "done": "ä"}));
                    for byte in event(&answer).unwrap() {
                        events.send(Ok(Bytes::copy_from_slice(&[byte]))).await.unwrap();
                    }
                });
                Ok(response)
            }
        }
    })
    .await;
    let pool = connected(&server).await;
    assert_eq!(call(&pool, "up", "slow", json!({})).await.unwrap(), json!({"content": [], "done": "ä"}));
    let pong = server.seen().into_iter().find(|seen| method(seen) == "POST").unwrap();
    assert_eq!(pong.json(), json!({"jsonrpc": "2.0", "id": "q", "result": {}}));
}

#[tokio::test]
async fn every_page_is_followed_and_a_circle_is_left() {
    let server = Server::start(|seen| async move {
        if method(&seen) != "tools/list" {
            return modern(&seen, &[]).unwrap();
        }
        match seen.json()["params"]["cursor"].as_str() {
            None => result(&seen, json!({"tools": [tool("a")], "nextCursor": "2"})),
            Some("2") => result(&seen, json!({"tools": [tool("b"), {"name": "broken"}], "nextCursor": "3"})),
            // From here on it names itself for ever.
            Some(_) => result(&seen, json!({"tools": [tool("c")], "nextCursor": "3"})),
        }
    })
    .await;
    let pool = connected(&server).await;
    let roster = pool.roster();
    let names: Vec<_> = roster.tools.iter().map(|tool| tool.exposed_name.as_str()).collect();
    assert_eq!(names, ["up_a", "up_b", "up_c"]);
    assert!(roster.status[0].message.as_deref().unwrap().contains("\"broken\""), "{:?}", roster.status);
    assert_eq!(count(&server.seen(), "tools/list"), 3);
}

#[tokio::test]
async fn a_list_that_changes_is_noticed() {
    let lists = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |seen| {
        let lists = lists.clone();
        async move {
            let round = if method(&seen) == "tools/list" { lists.fetch_add(1, Ordering::SeqCst) } else { 0 };
            let tools = if round < 2 { vec![tool("a")] } else { vec![tool("a"), tool("b")] };
            modern(&seen, &tools).unwrap()
        }
    })
    .await;
    let pace = Pace { refresh: Duration::from_millis(5), ..crate::mcp::pace() };
    let pool = pool_at(pace, &[upstream("up", &server.url("/mcp"))]);
    roster_until(&pool, |roster| roster.tools.len() == 2).await;
}

#[tokio::test]
async fn annotated_parameters_are_mirrored_into_headers() {
    let server = Server::start(|seen| async move {
        let region = json!({"type": "string", "x-mcp-header": "Region"});
        let good =
            json!({"name": "good", "inputSchema": {"type": "object", "properties": {"region": region}}});
        let bad = json!({"name": "bad", "inputSchema": {"type": "object", "x-mcp-header": "Everything"}});
        modern(&seen, &[good, bad]).unwrap_or_else(|| said(&seen, "ok"))
    })
    .await;
    let pool = connected(&server).await;
    assert_eq!(pool.roster().tools.len(), 1, "{:?}", pool.roster().status);
    call(&pool, "up", "good", json!({"region": "eu"})).await.unwrap();
    assert_eq!(server.seen().last().unwrap().header("mcp-param-region"), Some("eu"));
}

#[tokio::test]
async fn an_error_of_the_upstream_is_handed_on_whole() {
    let server = Server::start(|seen| async move {
        modern(&seen, &[tool("t")]).unwrap_or_else(|| {
            crate::mcp::error(&seen, 400, -32021, "no sampling", json!({"requires": ["sampling"]}))
        })
    })
    .await;
    let pool = connected(&server).await;
    let Err(CallError::Upstream { code, message, data, .. }) = call(&pool, "up", "t", json!({})).await else {
        panic!()
    };
    assert_eq!((code, message.as_str()), (-32021, "no sampling"));
    assert_eq!(data.unwrap().get(), r#"{"requires":["sampling"]}"#);
}

#[tokio::test]
async fn only_what_changed_is_connected_anew() {
    let script = |seen| async move { modern(&seen, &[tool("t")]).unwrap_or_else(|| said(&seen, "ok")) };
    let (same, rotated) = (Server::start(script).await, Server::start(script).await);
    let wanted = [
        upstream("same", &same.url("/mcp")),
        with_headers(upstream("rotated", &rotated.url("/mcp")), vec![bearer()]),
    ];
    let pool = pool(&[]);
    pool.apply(&wanted, &Arc::new(credentials("first")));
    roster_until(&pool, |roster| roster.tools.len() == 2).await;
    pool.apply(&wanted, &Arc::new(credentials("second")));
    assert_eq!(pool.roster().tools.len(), 2, "a rotation takes nothing off the list");
    let seen = rotated.seen_until(|seen| count(seen, "tools/list") == 2).await;
    let tokens: Vec<_> = seen.iter().filter_map(|seen| seen.header("authorization")).collect();
    assert_eq!(tokens, ["Bearer first", "Bearer first", "Bearer second", "Bearer second"]);
    assert_eq!(count(&same.seen(), "server/discover"), 1);

    pool.apply(&wanted[..1], &Arc::new(Credentials::default()));
    assert_eq!(pool.roster().status.len(), 1);
    let Err(CallError::Unavailable { message }) = call(&pool, "rotated", "t", json!({})).await else {
        panic!()
    };
    assert!(message.contains("no longer part"), "{message}");
}

#[tokio::test]
async fn without_its_credential_an_upstream_is_not_asked() {
    let server = Server::start(|seen| async move { modern(&seen, &[]).unwrap() }).await;
    let pool = pool(&[with_headers(upstream("up", &server.url("/mcp")), vec![bearer()])]);
    let roster = in_state(&pool, "up", Unreachable).await;
    assert!(roster.status[0].message.as_deref().unwrap().contains("Secret s, key token"));
    assert!(crate::mcp::unavailable(&pool, "t").await.contains("Secret s, key token"));
    assert_eq!(server.seen().len(), 0);
    pool.apply(
        &[with_headers(upstream("up", &server.url("/mcp")), vec![bearer()])],
        &Arc::new(credentials("there")),
    );
    in_state(&pool, "up", Connected).await;
}
