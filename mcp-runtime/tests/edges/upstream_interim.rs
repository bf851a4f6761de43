//! What comes before an answer: progress, log messages, and questions of a legacy server's.

use crate::{
    callers::{Client, asked, told, tool_call, value},
    mcp::{connected, count, legacy, message, method, modern, send, tool},
    server::{Body, Seen, Server, full, streamed},
};
use bytes::Bytes;
use http::Response;
use mcpfleet_runtime::{call::Outcome, exchange::Unanswered};
use serde_json::{Value, json};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::mpsc;

type Sender = mpsc::Sender<io::Result<Bytes>>;

async fn says(events: &Sender, message: &Value) -> Result<(), mpsc::error::SendError<io::Result<Bytes>>> {
    events.send(Ok(Bytes::from(format!("data: {message}\n\n")))).await
}

fn notification(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

fn question(id: &str, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn done(seen: &Seen) -> Value {
    serde_json::from_str(&message(seen, "result", json!({"content": [], "resultType": "complete"}))).unwrap()
}

/// A stream on which a task of the script's speaks.
fn speaking<W>(speak: impl FnOnce(Sender) -> W) -> Response<Body>
where
    W: Future<Output = ()> + Send + 'static,
{
    let (events, response) = streamed("text/event-stream");
    tokio::spawn(speak(events));
    response
}

#[tokio::test]
async fn notices_come_in_their_order_and_before_the_answer() {
    let server = Server::start(|seen| async move {
        if let Some(answer) = modern(&seen, &[tool("t")]) {
            return answer;
        }
        Ok(speaking(|events| async move {
            let token = seen.json()["params"]["_meta"]["progressToken"].clone();
            for (method, params) in [
                ("notifications/progress", json!({"progressToken": token, "progress": 1})),
                ("notifications/message", json!({"level": "info", "data": "a"})),
                ("notifications/progress", json!({"progressToken": "another's", "progress": 7})),
                ("notifications/progress", json!({"progressToken": token, "progress": 2, "total": 3})),
                ("notifications/x", json!({})),
            ] {
                says(&events, &notification(method, &params)).await.unwrap();
            }
            says(&events, &done(&seen)).await.unwrap();
        }))
    })
    .await;
    let pool = connected(&server).await;
    let (caller, mut events) = Client::modern(0).curious().listening();
    let outcome = send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    assert!(matches!(outcome, Outcome::Forwarded(_)));
    drop(caller);
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(told(&mut events).await);
    }
    let log = r#"log info {"data":"a","level":"info"}"#;
    assert_eq!(
        all,
        [r#"progress {"progress":1}"#, log, r#"progress {"progress":2,"total":3}"#, "notifications/x"]
    );
    assert!(events.recv().await.is_none());
    let meta = server.seen().last().unwrap().json()["params"]["_meta"].clone();
    assert_eq!(meta["io.modelcontextprotocol/logLevel"], "debug");
}

#[tokio::test]
async fn who_wants_no_progress_gets_none_and_asks_for_none() {
    let server = Server::start(|seen| async move {
        if let Some(answer) = modern(&seen, &[tool("t")]) {
            return answer;
        }
        let token = &seen.json()["params"]["_meta"]["progressToken"];
        assert!(token.is_null(), "{token}");
        Ok(speaking(|events| async move {
            says(&events, &notification("notifications/message", &json!({"level": "error", "data": 1})))
                .await
                .unwrap();
            says(&events, &done(&seen)).await.unwrap();
        }))
    })
    .await;
    let pool = connected(&server).await;
    let (caller, mut events) = Client::modern(0).listening();
    send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    drop(caller);
    assert!(events.recv().await.is_none());
}

/// The server can send until the sockets between are full, and no further: what we hold is bounded.
#[tokio::test]
async fn a_slow_client_holds_the_upstream_back() {
    const FLOOD: usize = 640;
    let sent = Arc::new(AtomicUsize::new(0));
    let server = {
        let sent = sent.clone();
        Server::start(move |seen| {
            let sent = sent.clone();
            async move {
                if let Some(answer) = modern(&seen, &[tool("t")]) {
                    return answer;
                }
                Ok(speaking(|events| async move {
                    let padding = "x".repeat(64 * 1024);
                    let params = json!({"level": "info", "data": padding});
                    for _ in 0..FLOOD {
                        says(&events, &notification("notifications/message", &params)).await.unwrap();
                        sent.fetch_add(1, Ordering::SeqCst);
                    }
                    says(&events, &done(&seen)).await.unwrap();
                }))
            }
        })
        .await
    };
    let pool = connected(&server).await;
    let (caller, mut events) = Client::modern(0).curious().listening();
    let calling = tokio::spawn(async move { send(&pool, "up", &tool_call("t", &json!({})), &caller).await });
    // It has come as far as it can when nothing moves any more, whoever is given a turn.
    let mut before = usize::MAX;
    while before != sent.load(Ordering::SeqCst) || before == 0 {
        before = sent.load(Ordering::SeqCst);
        for _ in 0..2_000 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(before < FLOOD / 2, "{before} of {FLOOD} messages were taken while nobody read");
    for _ in 0..FLOOD {
        assert!(told(&mut events).await.starts_with("log info"));
    }
    calling.await.unwrap().unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), FLOOD);
}

/// A legacy server that asks these questions at once in each call, and answers when it has as many answers.
async fn asking(questions: Vec<Value>) -> Server {
    let (answers, _) = tokio::sync::watch::channel(0_usize);
    Server::start(move |seen| {
        let (answers, questions) = (answers.clone(), questions.clone());
        async move {
            if let Some(answer) = legacy(&seen, "s-1", &[tool("t")]) {
                return answer;
            }
            if seen.json()["id"].is_string() {
                answers.send_modify(|count| *count += 1);
                return Ok(full(202, "", ""));
            }
            if method(&seen) != "tools/call" {
                return Ok(full(405, "", ""));
            }
            Ok(speaking(|events| async move {
                for question in &questions {
                    says(&events, question).await.unwrap();
                }
                answers.subscribe().wait_for(|count| *count == questions.len()).await.unwrap();
                says(&events, &done(&seen)).await.unwrap();
            }))
        }
    })
    .await
}

fn answer_to(server: &Server, id: &str) -> Value {
    server.seen().iter().map(Seen::json).find(|sent| sent["id"] == id).unwrap()
}

#[tokio::test]
async fn questions_are_asked_together_and_each_gets_its_answer() {
    let form = json!({"message": "who?", "requestedSchema": {"type": "object"}});
    let server =
        asking(vec![question("a", "elicitation/create", &form), question("b", "roots/list", &json!({}))])
            .await;
    let pool = connected(&server).await;
    let client = Client::legacy(1).offering(json!({"elicitation": {}, "roots": {}}));
    let (caller, mut events) = client.listening();
    let calling = tokio::spawn(async move { send(&pool, "up", &tool_call("t", &json!({})), &caller).await });
    let (first, answer_first) = asked(&mut events).await;
    let (second, answer_second) = asked(&mut events).await;
    assert_eq!((first.method.as_str(), second.method.as_str()), ("elicitation/create", "roots/list"));
    assert_eq!(value(&first.params.unwrap()), form);
    answer_second.send(Ok(crate::callers::raw(&json!({"roots": []})))).unwrap();
    server.seen_until(|seen| seen.iter().any(|seen| seen.json()["id"] == "b")).await;
    let refused = Unanswered::Refused { code: -1, message: "not now".into(), data: None };
    answer_first.send(Err(refused)).unwrap();
    calling.await.unwrap().unwrap();
    assert_eq!(answer_to(&server, "b")["result"], json!({"roots": []}));
    assert_eq!(answer_to(&server, "a")["error"], json!({"code": -1, "message": "not now"}));
    assert_eq!(count(&server.seen(), "tools/call"), 1, "the body runs once");
    let declared = |seen: &Seen| seen.json()["params"]["capabilities"].clone();
    let hello = server.seen().into_iter().rfind(|seen| method(seen) == "initialize").unwrap();
    assert_eq!(declared(&hello), json!({"elicitation": {"form": {}}, "roots": {}}));
}

#[tokio::test]
async fn what_the_client_does_not_offer_is_refused_and_ping_is_answered() {
    let server = asking(vec![
        question("a", "sampling/createMessage", &json!({"messages": [], "maxTokens": 1})),
        question("p", "ping", &json!({})),
        question("x", "no/such", &json!({})),
    ])
    .await;
    let pool = connected(&server).await;
    let (caller, mut events) = Client::legacy(1).offering(json!({"roots": {}})).listening();
    send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    drop(caller);
    assert!(events.recv().await.is_none(), "nothing reaches the client");
    assert_eq!(answer_to(&server, "a")["error"]["code"], -32601);
    assert_eq!(answer_to(&server, "x")["error"]["code"], -32601);
    assert_eq!(answer_to(&server, "p")["result"], json!({}));
}

#[tokio::test]
async fn a_server_with_too_many_questions_loses_its_call() {
    let questions = (0..17).map(|n| question(&format!("q{n}"), "roots/list", &json!({}))).collect();
    let server = asking(questions).await;
    let pool = connected(&server).await;
    let (caller, _events) = Client::legacy(1).offering(json!({"roots": {}})).listening();
    let error = send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap_err();
    assert!(error.to_string().contains("more than 16 questions"), "{error}");
}

#[tokio::test]
async fn a_question_that_the_server_takes_back_is_taken_back_from_the_client() {
    let server = Server::start(|seen| async move {
        if let Some(answer) = legacy(&seen, "s-1", &[tool("t")]) {
            return answer;
        }
        if method(&seen) != "tools/call" {
            return Ok(full(405, "", ""));
        }
        Ok(speaking(|events| async move {
            says(&events, &question("a", "roots/list", &json!({}))).await.unwrap();
            says(&events, &notification("notifications/cancelled", &json!({"requestId": "a"})))
                .await
                .unwrap();
            // Held open: the call goes on.
            events.closed().await;
        }))
    })
    .await;
    let pool = connected(&server).await;
    let (caller, mut events) = Client::legacy(1).offering(json!({"roots": {}})).listening();
    let calling = tokio::spawn(async move { send(&pool, "up", &tool_call("t", &json!({})), &caller).await });
    let (_, mut answer) = asked(&mut events).await;
    answer.closed().await;
    assert!(!calling.is_finished());
    calling.abort();
}

/// 2025-11-25, transports, "Resumability and Redelivery": only the rest of the stream is asked for.
#[tokio::test]
async fn a_stream_that_breaks_off_is_gone_on_with() {
    let server = Server::start(|seen| async move {
        if let Some(answer) = legacy(&seen, "s-1", &[tool("t")]) {
            return answer;
        }
        if method(&seen) == "tools/call" {
            return Ok(speaking(|events| async move {
                events.send(Ok(Bytes::from("id: 7\nretry: 1\ndata:\n\n"))).await.unwrap();
            }));
        }
        Ok(speaking(|events| async move {
            // The id of the call: the first request after the hello of its session.
            let answer = json!({"jsonrpc": "2.0", "id": 2, "result": {"content": []}});
            says(&events, &answer).await.unwrap();
        }))
    })
    .await;
    let pool = connected(&server).await;
    let caller = Client::modern(0).silent();
    send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap();
    let seen = server.seen();
    let again = seen.iter().find(|seen| method(seen) == "GET").unwrap();
    assert_eq!((again.header("last-event-id"), again.header("mcp-session-id")), (Some("7"), Some("s-1")));
    assert_eq!(count(&seen, "tools/call"), 1);
}
