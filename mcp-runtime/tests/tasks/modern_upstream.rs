//! An upstream that makes tasks itself.

use crate::{
    client::{Declares, ask, call, code, gateway, get, id_of},
    script::{count, error, method, modern, result, said},
    server::{Seen, Server},
};
use serde_json::{Value, json};

/// The upstream's own id.
const THEIRS: &str = "theirs-42";

fn task(result_type: &str, status: &str) -> Value {
    json!({
        "resultType": result_type, "taskId": THEIRS, "status": status, "createdAt": "2026-07-28T00:00:00Z",
        "lastUpdatedAt": "2026-07-28T00:00:00Z", "ttlMs": 60_000, "pollIntervalMs": 100,
    })
}

async fn upstream() -> Server {
    Server::start(|seen| async move {
        modern(&seen).unwrap_or_else(|| match method(&seen).as_str() {
            "tools/call" if declared(&seen) => result(&seen, task("task", "working")),
            "tools/call" => result(&seen, said("at once")),
            "tasks/get" if seen.json()["params"]["taskId"] == THEIRS => {
                let mut done = task("complete", "completed");
                done["result"] = said("done");
                result(&seen, done)
            }
            "tasks/update" | "tasks/cancel" => result(&seen, json!({"resultType": "complete"})),
            _ => error(&seen, 200, -32602, "no such task"),
        })
    })
    .await
}

fn declared(seen: &Seen) -> bool {
    let capabilities = &seen.json()["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    capabilities["extensions"].get("io.modelcontextprotocol/tasks").is_some()
}

#[tokio::test]
async fn its_tasks_are_followed_by_an_id_of_ours() {
    let upstream = upstream().await;
    let (_dir, runtime) = gateway(&upstream, "work").await;
    let discovered = ask(&runtime, Declares::Nothing, "server/discover", json!({})).await;
    let extensions = &discovered["result"]["capabilities"]["extensions"];
    assert!(extensions.get("io.modelcontextprotocol/tasks").is_some(), "{discovered}");
    let id = id_of(&call(&runtime, Declares::Tasks, "work").await);
    assert!(!id.contains(THEIRS));
    let got = get(&runtime, &id).await["result"].clone();
    assert_eq!((&got["taskId"], &got["resultType"]), (&json!(id), &json!("complete")));
    assert_eq!(got["result"]["content"][0]["text"], "done");
    let responses = json!({"k": {"action": "accept"}});
    let update = json!({"taskId": id, "inputResponses": responses});
    for (method, params) in [("tasks/update", update), ("tasks/cancel", json!({"taskId": id}))] {
        let acknowledged = ask(&runtime, Declares::Tasks, method, params).await["result"].clone();
        assert_eq!(acknowledged["resultType"], "complete");
        assert!(acknowledged.get("taskId").is_none(), "{acknowledged}");
    }
    let seen = upstream.seen();
    for verb in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let asked = seen.iter().find(|seen| method(seen) == verb).unwrap();
        assert_eq!(
            (asked.header("mcp-name"), &asked.json()["params"]["taskId"]),
            (Some(THEIRS), &json!(THEIRS))
        );
    }
    let updated = seen.iter().find(|seen| method(seen) == "tasks/update").unwrap();
    assert_eq!(updated.json()["params"]["inputResponses"], responses);
}

#[tokio::test]
async fn nobody_else_s_id_reaches_it() {
    let upstream = upstream().await;
    let (_dir, runtime) = gateway(&upstream, "work").await;
    let id = id_of(&call(&runtime, Declares::Tasks, "work").await);
    let mut forged = id.clone().into_bytes();
    let last = forged.len() / 2;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    for id in [THEIRS.to_owned(), String::from_utf8(forged).unwrap()] {
        assert_eq!(code(&get(&runtime, &id).await), -32602, "{id}");
    }
    assert_eq!(count(&upstream.seen(), "tasks/get"), 0);
}

#[tokio::test]
async fn a_client_without_the_extension_gets_no_task_and_may_ask_for_none() {
    let upstream = upstream().await;
    let (_dir, runtime) = gateway(&upstream, "work").await;
    let id = id_of(&call(&runtime, Declares::Tasks, "work").await);
    assert_eq!(call(&runtime, Declares::Nothing, "work").await["content"][0]["text"], "at once");
    for verb in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({"taskId": id, "inputResponses": {}});
        let refused = ask(&runtime, Declares::Nothing, verb, params).await;
        assert_eq!(code(&refused), -32021);
        let required = &refused["error"]["data"]["requiredCapabilities"]["extensions"];
        assert!(required.get("io.modelcontextprotocol/tasks").is_some(), "{refused}");
    }
}
