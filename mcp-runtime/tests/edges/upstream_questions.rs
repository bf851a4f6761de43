//! Questions of a legacy server's in the middle of a call.

use crate::{
    callers::{Client, asked, tool_call, value},
    mcp::{connected, count, legacy, method, said, send, tool},
    server::{Seen, Server, full, streamed},
    speech::{Sender, done, notification, question, says, speaking},
};
use mcpfleet_runtime::exchange::Unanswered;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

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

/// A server that answers in JSON has no other place for its questions; while no call runs nobody can be asked.
#[tokio::test]
async fn a_question_on_the_sessions_own_stream_reaches_the_call_that_runs() {
    let own = Arc::<Mutex<Option<Sender>>>::default();
    let answered = Arc::new(Notify::new());
    let server = Server::start({
        let own = own.clone();
        move |seen| {
            let (own, answered) = (own.clone(), answered.clone());
            async move {
                if let Some(answer) = legacy(&seen, "s-1", &[tool("t")]) {
                    return answer;
                }
                match method(&seen).as_str() {
                    "GET" => {
                        let (events, response) = streamed("text/event-stream");
                        *own.lock().unwrap() = Some(events);
                        Ok(response)
                    }
                    "tools/call" => {
                        let stream = own.lock().unwrap().clone().unwrap();
                        says(&stream, &question("q", "roots/list", &json!({}))).await.unwrap();
                        answered.notified().await;
                        said(&seen, "ok")
                    }
                    _ => {
                        answered.notify_one();
                        Ok(full(202, "", ""))
                    }
                }
            }
        }
    })
    .await;
    let pool = connected(&server).await;
    let (caller, mut events) = Client::legacy(1).offering(json!({"roots": {}})).listening();
    let calling = tokio::spawn({
        let pool = pool.clone();
        async move { send(&pool, "up", &tool_call("t", &json!({})), &caller).await }
    });
    let (_, answer) = asked(&mut events).await;
    answer.send(Ok(crate::callers::raw(&json!({"roots": []})))).unwrap();
    calling.await.unwrap().unwrap();
    assert_eq!(answer_to(&server, "q")["result"], json!({"roots": []}));

    let stream = own.lock().unwrap().clone().unwrap();
    says(&stream, &question("idle", "roots/list", &json!({}))).await.unwrap();
    server.seen_until(|seen| seen.iter().any(|seen| seen.json()["id"] == "idle")).await;
    assert_eq!(answer_to(&server, "idle")["error"]["code"], -32601);
}
