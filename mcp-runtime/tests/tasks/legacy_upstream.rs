//! An upstream that knows no tasks of this kind: the gateway makes them.

use crate::{
    client::{Declares, ask, call, code, gateway, get, id_of, until_status},
    script::{count, error, legacy, message, method, result, said},
    server::{Server, streamed},
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Answers calls when the test lets it.
async fn held(answer: fn(&crate::server::Seen) -> crate::server::Answer) -> (Server, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let server = Server::start(move |seen| {
        let gate = held.clone();
        async move {
            if let Some(answer) = legacy(&seen) {
                return answer;
            }
            gate.acquire().await.unwrap().forget();
            answer(&seen)
        }
    })
    .await;
    (server, gate)
}

fn failed(seen: &crate::server::Seen) -> crate::server::Answer {
    let mut failure = said("it failed");
    failure["isError"] = json!(true);
    result(seen, failure)
}

#[tokio::test]
async fn a_call_that_takes_long_becomes_a_task_and_runs_once() {
    let (upstream, gate) = held(|seen| result(seen, said("done"))).await;
    let (_dir, runtime) = gateway(&upstream, "optional").await;
    let id = id_of(&call(&runtime, Declares::Tasks, "optional").await);
    assert_eq!(get(&runtime, &id).await["result"]["status"], "working");
    gate.add_permits(1);
    let task = until_status(&runtime, &id, "completed").await;
    assert_eq!(task["result"]["content"][0]["text"], "done");
    assert_eq!(count(&upstream.seen(), "tools/call"), 1);
    let again = ask(&runtime, Declares::Tasks, "tasks/cancel", json!({"taskId": id})).await;
    assert_eq!(again["result"]["resultType"], "complete", "what has ended is acknowledged: {again}");
    assert_eq!(get(&runtime, &id).await["result"]["status"], "completed");
}

#[tokio::test]
async fn a_failed_tool_completes_its_task_and_an_error_of_the_protocol_fails_it() {
    let (upstream, gate) = held(failed).await;
    let (_dir, runtime) = gateway(&upstream, "required").await;
    let id = id_of(&call(&runtime, Declares::Tasks, "required").await);
    gate.add_permits(1);
    assert_eq!(until_status(&runtime, &id, "completed").await["result"]["isError"], true);
    let (upstream, gate) = held(|seen| error(seen, 200, -32603, "broken")).await;
    let (_dir, runtime) = gateway(&upstream, "required").await;
    let id = id_of(&call(&runtime, Declares::Tasks, "required").await);
    gate.add_permits(1);
    let task = until_status(&runtime, &id, "failed").await;
    assert_eq!((&task["error"]["code"], task.get("result")), (&json!(-32603), None));
}

#[tokio::test]
async fn a_cancelled_task_is_cancelled_upstream() {
    let (upstream, _gate) = held(|seen| result(seen, said("never"))).await;
    let (_dir, runtime) = gateway(&upstream, "optional").await;
    let id = id_of(&call(&runtime, Declares::Tasks, "optional").await);
    let acknowledged = ask(&runtime, Declares::Tasks, "tasks/cancel", json!({"taskId": id})).await;
    assert!(acknowledged["result"].get("status").is_none(), "{acknowledged}");
    assert_eq!(get(&runtime, &id).await["result"]["status"], "cancelled");
    let seen = upstream.seen_until(|seen| count(seen, "notifications/cancelled") > 0).await;
    let made = seen.iter().find(|seen| method(seen) == "tools/call").unwrap().json();
    let cancelled = seen.iter().find(|seen| method(seen) == "notifications/cancelled").unwrap().json();
    assert_eq!(cancelled["params"]["requestId"], made["id"]);
}

#[tokio::test]
async fn only_tools_that_lend_themselves_become_tasks_and_only_for_clients_that_can_follow() {
    let (upstream, gate) = held(|seen| result(seen, said("done"))).await;
    let (_dir, runtime) = gateway(&upstream, "forbidden").await;
    let refused =
        ask(&runtime, Declares::Nothing, "tools/call", json!({"name": "required", "arguments": {}})).await;
    assert_eq!(code(&refused), -32021);
    let required = &refused["error"]["data"]["requiredCapabilities"]["extensions"];
    assert!(required.get("io.modelcontextprotocol/tasks").is_some(), "{refused}");
    assert_eq!(count(&upstream.seen(), "tools/call"), 0);
    for (declares, tool) in [(Declares::Tasks, "forbidden"), (Declares::Nothing, "optional")] {
        let let_go = async {
            upstream.seen_until(|seen| count(seen, "tools/call") > 0).await;
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            gate.add_permits(1);
        };
        let (answer, ()) = tokio::join!(call(&runtime, declares, tool), let_go);
        assert_eq!(
            (&answer["resultType"], &answer["content"][0]["text"]),
            (&json!("complete"), &json!("done"))
        );
    }
}

/// Asks the client two things in the middle of the call, and ends it when both are answered.
async fn asking() -> Server {
    let answered = Arc::new(Semaphore::new(0));
    Server::start(move |seen| {
        let answered = answered.clone();
        async move {
            if method(&seen) == "POST" && seen.json().get("result").is_some() {
                answered.add_permits(1);
            }
            if let Some(answer) = legacy(&seen) {
                return answer;
            }
            let (events, response) = streamed("text/event-stream");
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                for id in ["a", "b"] {
                    let question = json!({
                        "jsonrpc": "2.0", "id": id, "method": "elicitation/create",
                        "params": {"message": id, "requestedSchema": {"type": "object", "properties": {}}},
                    });
                    events.send(Ok(event(&question.to_string()))).await.unwrap();
                }
                answered.acquire_many(2).await.unwrap().forget();
                events.send(Ok(event(&message(&seen, "result", said("both"))))).await.unwrap();
            });
            Ok(response)
        }
    })
    .await
}

fn event(message: &str) -> Bytes {
    Bytes::from(format!("data: {message}\n\n"))
}

#[tokio::test]
async fn questions_of_the_call_are_the_task_s_and_answered_by_key() {
    let upstream = asking().await;
    let (_dir, runtime) = gateway(&upstream, "optional").await;
    let id = id_of(&call(&runtime, Declares::TasksAndForms, "optional").await);
    let asked = crate::process::until("two questions", || async {
        let task = get(&runtime, &id).await["result"].clone();
        let requests = task["inputRequests"].as_object().cloned().unwrap_or_default();
        (requests.len() == 2).then_some((task, requests))
    })
    .await;
    assert_eq!(asked.0["status"], "input_required");
    let keys: Vec<String> = asked.1.keys().cloned().collect();
    assert_eq!(asked.1[&keys[0]]["method"], "elicitation/create");
    give(&runtime, &id, &["unknown", &keys[0]]).await;
    let left = get(&runtime, &id).await["result"].clone();
    assert_eq!(left["status"], "input_required");
    assert_eq!(left["inputRequests"].as_object().unwrap().keys().collect::<Vec<_>>(), [&keys[1]]);
    give(&runtime, &id, &[&keys[1]]).await;
    let done = until_status(&runtime, &id, "completed").await;
    assert_eq!(done["result"]["content"][0]["text"], "both");
    assert_eq!(count(&upstream.seen(), "tools/call"), 1);
}

async fn give(runtime: &crate::process::Runtime, id: &str, keys: &[&str]) {
    let accepted = json!({"action": "accept", "content": {}});
    let responses: Value = keys
        .iter()
        .map(|key| ((*key).to_owned(), accepted.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let params = json!({"taskId": id, "inputResponses": responses});
    let acknowledged = ask(runtime, Declares::TasksAndForms, "tasks/update", params).await;
    assert_eq!(acknowledged["result"]["resultType"], "complete", "{acknowledged}");
    assert!(acknowledged["result"].get("status").is_none());
}
