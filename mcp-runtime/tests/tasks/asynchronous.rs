//! Tools that say `async`: ours and those of upstreams, for clients of every kind.

use crate::{
    client::{Declares, ask, call, code, get, id_of, until_listed, until_status},
    held::{Work, calls, legacy_call, legacy_start, legacy_status, until_listed_tool},
    manifests::{server, write},
    process::{Runtime, document, until},
    script::{legacy, message, method, modern, result, said},
    server::{Server, streamed},
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::Semaphore;

#[tokio::test]
async fn a_client_that_follows_tasks_gets_one_at_once_and_it_outlives_the_timeout() {
    let work = Work::saying("exported").await;
    let dir = work.manifests("");
    let runtime = Runtime::on(dir.path()).await;
    let discovered = ask(&runtime, Declares::Tasks, "server/discover", json!({})).await;
    let extensions = &discovered["result"]["capabilities"]["extensions"];
    assert!(extensions.get("io.modelcontextprotocol/tasks").is_some(), "{discovered}");
    let id = id_of(&call(&runtime, Declares::Tasks, "export").await);
    work.until_begun().await;
    assert_eq!(get(&runtime, &id).await["result"]["status"], "working");
    work.gate.add_permits(1);
    let task = until_status(&runtime, &id, "completed").await;
    assert_eq!(
        (&task["result"]["content"][0]["text"], &task["ttlMs"]),
        (&json!("exported"), &json!(3_600_000))
    );
    assert_eq!(work.begun(), 1);
}

#[tokio::test]
async fn what_cannot_succeed_is_told_at_once_and_is_no_task() {
    let work = Work::saying("exported").await;
    let dir = work.manifests("");
    let runtime = Runtime::on(dir.path()).await;
    let params = json!({"name": "export", "arguments": {"id": "seven"}});
    let refused = ask(&runtime, Declares::Tasks, "tools/call", params).await["result"].clone();
    assert_eq!(
        (&refused["resultType"], &refused["isError"]),
        (&json!("complete"), &json!(true)),
        "{refused}"
    );
    let refused = legacy_call(&runtime, "export_start", json!({"id": "seven"})).await;
    assert_eq!((&refused["isError"], refused.get("structuredContent")), (&json!(true), None), "{refused}");
    assert_eq!(work.begun(), 0);
}

async fn names(runtime: &Runtime, declares: Declares) -> Vec<String> {
    let listed = ask(runtime, declares, "tools/list", json!({})).await["result"].clone();
    assert_eq!(listed["cacheScope"], "private", "it is not the same for every client");
    let tools = listed["tools"].as_array().unwrap();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_client_is_shown_what_it_can_use() {
    let work = Work::saying("exported").await;
    let dir = work.manifests("");
    let runtime = Runtime::on(dir.path()).await;
    let tools = ["export_start", "task_status", "task_cancel"];
    assert_eq!(runtime.tools().await, tools);
    assert_eq!(names(&runtime, Declares::Nothing).await, tools);
    assert_eq!(names(&runtime, Declares::Tasks).await, ["export"]);
}

#[tokio::test]
async fn a_client_that_knows_no_tasks_starts_it_and_asks_for_its_result() {
    let work = Work::saying("exported").await;
    let dir = work.manifests("");
    let runtime = Runtime::on(dir.path()).await;
    let id = legacy_start(&runtime).await;
    let working = legacy_status(&runtime, &id, 0).await;
    assert_eq!(working["structuredContent"], json!({"taskId": id, "status": "working"}));
    work.gate.add_permits(1);
    let done = until("the end", || async {
        let seen = legacy_status(&runtime, &id, 30).await;
        (seen["structuredContent"]["status"] == "completed").then_some(seen)
    })
    .await;
    assert_eq!(
        (&done["content"][1]["text"], &done["isError"]),
        (&json!("exported"), &json!(false)),
        "{done}"
    );
    let modern = ask(
        &runtime,
        Declares::Nothing,
        "tools/call",
        json!({"name": "task_status", "arguments": {"taskId": id}}),
    )
    .await;
    assert_eq!(modern["result"]["structuredContent"]["status"], "completed", "{modern}");
    assert_eq!(work.begun(), 1);
}

#[tokio::test]
async fn what_follows_tasks_refuses_what_it_does_not_know_and_tells_how_to_ask() {
    let work = Work::saying("exported").await;
    let dir = work.manifests("");
    let runtime = Runtime::on(dir.path()).await;
    let id = legacy_start(&runtime).await;
    for (tool, arguments, why) in [
        ("task_status", json!({}), "taskId"),
        ("task_status", json!({"taskId": id, "wait": 31}), "at most 30"),
        ("task_status", json!({"taskId": id, "again": true}), "again"),
        ("task_cancel", json!({"taskId": id, "wait": 1}), "no wait"),
        ("task_status", json!({"taskId": format!("{id}A")}), "no such task"),
        ("task_cancel", json!({"taskId": "7"}), "no such task"),
    ] {
        let refused = legacy_call(&runtime, tool, arguments.clone()).await;
        let text = refused["content"][0]["text"].as_str().unwrap();
        assert!(refused["isError"] == true && text.contains(why), "{arguments}: {refused}");
    }
    let cancelled = legacy_call(&runtime, "task_cancel", json!({"taskId": id})).await;
    assert_eq!(cancelled["structuredContent"]["status"], "cancelled", "{cancelled}");
    work.gate.add_permits(1);
    assert_eq!(legacy_status(&runtime, &id, 0).await["structuredContent"]["status"], "cancelled");
}

/// In front of an upstream, whose tool of this name is to be asked as a task.
async fn overridden(upstream: &Server, tool: &str) -> (TempDir, Runtime) {
    let dir = tempfile::tempdir().unwrap();
    let upstreams = format!(
        "  upstreams: [{{name: up, remote: {{url: '{}'}}, tools: {{overrides: [{{name: {tool}, async: {{ttl: 10m}}}}]}}}}]\n",
        upstream.url("/mcp")
    );
    write(dir.path(), "server.yaml", &server("support", &upstreams));
    let runtime = Runtime::on(dir.path()).await;
    (dir, runtime)
}

#[tokio::test]
async fn an_upstream_s_tool_tells_how_far_it_is_and_cannot_ask_a_client_that_knows_no_tasks() {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let upstream = Server::start(move |seen| {
        let gate = held.clone();
        async move {
            if let Some(answer) = legacy(&seen) {
                return answer;
            }
            let token = seen.json()["params"]["_meta"]["progressToken"].clone();
            let (events, response) = streamed("text/event-stream");
            tokio::spawn(async move {
                let params = json!({"progressToken": token, "progress": 1, "total": 2, "message": "reading"});
                let told = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
                events.send(Ok(event(&told.to_string()))).await.unwrap();
                gate.acquire().await.unwrap().forget();
                events.send(Ok(event(&message(&seen, "result", said("scanned"))))).await.unwrap();
            });
            Ok(response)
        }
    })
    .await;
    let (_dir, runtime) = overridden(&upstream, "forbidden").await;
    until_listed_tool(&runtime, "forbidden_start").await;
    let started = legacy_call(&runtime, "forbidden_start", json!({})).await;
    assert_eq!(started["structuredContent"]["expiresInSeconds"], 600, "{started}");
    let id = started["structuredContent"]["taskId"].as_str().unwrap().to_owned();
    until("progress", || async {
        let seen = legacy_status(&runtime, &id, 0).await["structuredContent"].clone();
        (seen["statusMessage"] == "reading (1 of 2)").then_some(())
    })
    .await;
    gate.add_permits(1);
    let done = legacy_status(&runtime, &id, 30).await;
    assert_eq!(done["content"][1]["text"], "scanned", "{done}");
    assert_eq!(calls(&upstream), 1);
}

fn event(message: &str) -> Bytes {
    Bytes::from(format!("data: {message}\n\n"))
}

#[tokio::test]
async fn what_a_modern_upstream_asks_back_for_is_asked_of_the_task() {
    let upstream = Server::start(|seen| async move {
        modern(&seen).unwrap_or_else(|| match seen.json()["params"].get("inputResponses") {
            None => result(
                &seen,
                json!({
                    "resultType": "input_required", "requestState": "s",
                    "inputRequests": {"name": {"method": "elicitation/create", "params": {
                        "message": "Who?", "requestedSchema": {"type": "object", "properties": {}},
                    }}},
                }),
            ),
            Some(_) => result(
                &seen,
                json!({"resultType": "complete", "content": [{"type": "text", "text": "both"}]}),
            ),
        })
    })
    .await;
    let (_dir, runtime) = overridden(&upstream, "work").await;
    until_listed_tool(&runtime, "work_start").await;
    let id = id_of(&call(&runtime, Declares::TasksAndForms, "work").await);
    let asked = until_status(&runtime, &id, "input_required").await;
    let key = asked["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    let params = json!({"taskId": id, "inputResponses": {key: {"action": "accept", "content": {}}}});
    let acknowledged = ask(&runtime, Declares::TasksAndForms, "tasks/update", params).await;
    assert_eq!(acknowledged["result"]["resultType"], "complete", "{acknowledged}");
    let done = until_status(&runtime, &id, "completed").await;
    assert_eq!(done["result"]["content"][0]["text"], "both", "{done}");
}

#[tokio::test]
async fn an_upstream_that_has_our_names_makes_room() {
    let upstream = Server::start(|seen| async move {
        if method(&seen) != "tools/list" {
            return legacy(&seen).unwrap_or_else(|| result(&seen, said("theirs")));
        }
        let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
        result(&seen, json!({"tools": [tool("forbidden"), tool("task_status")]}))
    })
    .await;
    let (_dir, runtime) = overridden(&upstream, "forbidden").await;
    until_listed(&runtime, "task_status").await;
    let listed = document(runtime.legacy("/mcp", "tools/list", &json!({})).send().await.unwrap()).await;
    let tools: Vec<Value> = listed["result"]["tools"].as_array().unwrap().clone();
    let named = |name: &str| tools.iter().filter(|tool| tool["name"] == name).collect::<Vec<_>>();
    assert_eq!(named("task_status").len(), 1, "{tools:?}");
    assert!(named("task_status")[0]["outputSchema"].is_object(), "it is ours: {tools:?}");
    let unknown = ask(&runtime, Declares::Tasks, "tasks/get", json!({"taskId": "7"})).await;
    assert_eq!(code(&unknown), -32602);
}
