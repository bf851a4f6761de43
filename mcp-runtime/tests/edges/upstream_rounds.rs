//! Modern upstreams that ask back, and the legacy error that does the same.

use crate::{
    callers::{Client, asked, raw, tool_call, value},
    mcp::{connected, count, error, legacy, method, modern, result, said, send, tool},
    server::{Answer, Seen, Server, full},
};
use mcpfleet_runtime::{
    call::{CallError, Outcome},
    exchange::{Resumption, Unanswered},
};
use serde_json::{Value, json};

fn form(message: &str) -> Value {
    json!({"method": "elicitation/create", "params": {
        "mode": "form", "message": message, "requestedSchema": {"type": "object", "properties": {}},
    }})
}

/// Asks for a name and the roots, then for a colour, then is content.
fn two_rounds(seen: &Seen) -> Answer {
    let params = &seen.json()["params"];
    match params["requestState"].as_str() {
        None => result(
            seen,
            json!({
                "resultType": "input_required", "requestState": "one",
                "inputRequests": {"name": form("name?"), "roots": {"method": "roots/list"}},
            }),
        ),
        Some("one") => result(
            seen,
            json!({
                "resultType": "input_required", "requestState": "two", "inputRequests": {"colour": form("colour?")},
            }),
        ),
        Some(_) => said(seen, "done"),
    }
}

async fn asking_back(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(move |seen| {
        std::future::ready(modern(&seen, &[tool("t")]).unwrap_or_else(|| answer(&seen)))
    })
    .await
}

fn accepted(content: &Value) -> Value {
    json!({"action": "accept", "content": content})
}

fn calls(server: &Server) -> Vec<Value> {
    let seen = server.seen();
    seen.iter()
        .filter(|seen| method(seen) == "tools/call")
        .map(|seen| seen.json()["params"].clone())
        .collect()
}

#[tokio::test]
async fn a_legacy_client_is_asked_and_the_call_retried_with_its_answers() {
    let server = asking_back(two_rounds).await;
    let pool = connected(&server).await;
    let (caller, mut events) =
        Client::legacy(1).offering(json!({"elicitation": {}, "roots": {"listChanged": true}})).listening();
    let request = tool_call("t", &json!({"a": 1}));
    let calling = tokio::spawn(async move { send(&pool, "up", &request, &caller).await });
    let (first, to_first) = asked(&mut events).await;
    let (second, to_second) = asked(&mut events).await;
    assert_eq!((first.method.as_str(), second.method.as_str()), ("elicitation/create", "roots/list"));
    to_second.send(Ok(raw(&json!({"roots": []})))).unwrap();
    to_first.send(Ok(raw(&accepted(&json!({"n": "x"}))))).unwrap();
    let (third, to_third) = asked(&mut events).await;
    assert_eq!(value(&third.params.unwrap())["message"], "colour?");
    to_third.send(Ok(raw(&json!({"action": "decline"})))).unwrap();
    let Outcome::Forwarded(result) = calling.await.unwrap().unwrap() else { panic!() };
    assert_eq!(value(&result), json!({"content": [{"type": "text", "text": "done"}]}));
    let calls = calls(&server);
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call["arguments"] == json!({"a": 1})));
    assert_eq!((&calls[0]["requestState"], &calls[0]["inputResponses"]), (&Value::Null, &Value::Null));
    assert_eq!(calls[1]["requestState"], "one");
    assert_eq!(
        calls[1]["inputResponses"],
        json!({"name": accepted(&json!({"n": "x"})), "roots": {"roots": []}})
    );
    assert_eq!(calls[2]["inputResponses"], json!({"colour": {"action": "decline"}}));
    let declared = &calls[0]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!(*declared, json!({"elicitation": {"form": {}}, "roots": {}}), "in the modern shape");
}

#[tokio::test]
async fn a_modern_client_is_handed_the_question_and_its_retry_goes_on() {
    let server = asking_back(two_rounds).await;
    let pool = connected(&server).await;
    let caller = Client::modern(1).offering(json!({"elicitation": {"form": {}}, "roots": {}})).silent();
    let mut request = tool_call("t", &json!({}));
    let Outcome::InputRequired { requests, state } = send(&pool, "up", &request, &caller).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(state.as_deref(), Some("one"));
    assert_eq!(value(&requests.unwrap())["roots"], json!({"method": "roots/list"}));
    let responses = json!({"name": accepted(&json!({})), "roots": {"roots": []}});
    request.resumption = Some(Resumption { responses: Some(raw(&responses)), state });
    let Outcome::InputRequired { state, .. } = send(&pool, "up", &request, &caller).await.unwrap() else {
        panic!()
    };
    assert_eq!(state.as_deref(), Some("two"));
    assert_eq!(
        (&calls(&server)[1]["inputResponses"], &calls(&server)[1]["requestState"]),
        (&responses, &json!("one"))
    );
}

#[tokio::test]
async fn what_the_client_cannot_or_will_not_answer_ends_the_call() {
    let server = asking_back(two_rounds).await;
    let pool = connected(&server).await;
    for client in [Client::legacy(1), Client::modern(1)] {
        let caller = client.offering(json!({"roots": {}})).silent();
        let error = send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap_err().to_string();
        assert!(error.contains("elicitation/create") && error.contains("does not offer"), "{error}");
    }
    let (caller, mut events) =
        Client::legacy(1).offering(json!({"elicitation": {}, "roots": {}})).listening();
    let calling = tokio::spawn(async move { send(&pool, "up", &tool_call("t", &json!({})), &caller).await });
    let (_, answer) = asked(&mut events).await;
    answer.send(Err(Unanswered::Refused { code: -1, message: "user rejected".into(), data: None })).unwrap();
    let Err(CallError::Upstream { code, message, .. }) = calling.await.unwrap() else { panic!() };
    assert_eq!((code, message.as_str()), (-1, "user rejected"));
    assert_eq!(calls(&server).len(), 3, "nothing was tried again");
}

#[tokio::test]
async fn who_asks_back_for_ever_is_left() {
    let server =
        asking_back(|seen| result(seen, json!({"resultType": "input_required", "requestState": "again"})))
            .await;
    let pool = connected(&server).await;
    let caller = Client::legacy(1).silent();
    let error = send(&pool, "up", &tool_call("t", &json!({})), &caller).await.unwrap_err().to_string();
    assert!(error.contains("asked back 10 times"), "{error}");
    assert_eq!(count(&server.seen(), "tools/call"), 10);
}

#[tokio::test]
async fn a_legacy_server_that_wants_the_user_at_a_page_asks_a_modern_client_for_it() {
    let server = Server::start(|seen| async move {
        if let Some(answer) = legacy(&seen, "s-1", &[tool("t")]) {
            return answer;
        }
        if method(&seen) != "tools/call" {
            return Ok(full(405, "", ""));
        }
        let page =
            json!({"mode": "url", "elicitationId": "e1", "url": "https://x.example/", "message": "sign in"});
        error(&seen, 200, -32042, "sign in first", json!({"elicitations": [page]}))
    })
    .await;
    let pool = connected(&server).await;
    let offering = json!({"elicitation": {"url": {}}});
    let request = tool_call("t", &json!({}));
    let modern = Client::modern(1).offering(offering.clone()).silent();
    let Outcome::InputRequired { requests, state: None } =
        send(&pool, "up", &request, &modern).await.unwrap()
    else {
        panic!()
    };
    let wanted = &value(&requests.unwrap())["e1"];
    assert_eq!(
        (&wanted["method"], &wanted["params"]["url"]),
        (&json!("elicitation/create"), &json!("https://x.example/"))
    );
    let legacy = Client::legacy(1).offering(offering).silent();
    let Err(CallError::Upstream { code, .. }) = send(&pool, "up", &request, &legacy).await else { panic!() };
    assert_eq!(code, -32042);
}
