//! A task lives in one replica, and every other finds it there.

use crate::{
    client::{Declares, ask, call, code, get, id_of, in_front_of, until_listed, until_status},
    held::{Work, legacy_start, replica},
    manifests::write,
    process::{Runtime, document},
    script::{count, legacy, result, said},
    server::Server,
};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Semaphore;

const KEY: &str = "8b1f0c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

#[tokio::test]
async fn another_replica_forwards_and_says_so_when_the_owner_is_gone() {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let upstream = Server::start(move |seen| {
        let gate = held.clone();
        async move {
            if let Some(answer) = legacy(&seen) {
                return answer;
            }
            gate.acquire().await.unwrap().forget();
            result(&seen, said("done"))
        }
    })
    .await;
    let (dir, secrets) = (in_front_of(&upstream), tempfile::tempdir().unwrap());
    write(secrets.path(), "keys", &format!("{KEY}\n"));
    let (manifests, keys) =
        (dir.path().display().to_string(), secrets.path().join("keys").display().to_string());
    let args = ["-f", &manifests, "--session-keys", &keys, "--peer", "127.0.0.1:0"];
    let (owner, other) = tokio::join!(Runtime::start(&args), Runtime::start(&args));
    tokio::join!(until_listed(&owner, "optional"), until_listed(&other, "optional"));
    let id = id_of(&call(&owner, Declares::Tasks, "optional").await);
    assert_eq!(get(&other, &id).await["result"]["status"], "working");
    gate.add_permits(1);
    let task = until_status(&other, &id, "completed").await;
    assert_eq!((&task["taskId"], &task["result"]["content"][0]["text"]), (&json!(id), &json!("done")));
    drop(owner);
    let lost = ask(&other, Declares::Tasks, "tasks/get", json!({"taskId": id})).await;
    assert_eq!(code(&lost), -32602, "{lost}");
    assert_eq!(count(&upstream.seen(), "tools/call"), 1, "it is never run a second time");
}

/// As while the replica that has begun a session drains: the session is another's by then, and the task is not.
#[tokio::test]
async fn a_task_is_followed_in_a_session_that_another_replica_holds() {
    let (work, secrets) = (Work::saying("exported").await, tempfile::tempdir().unwrap());
    let manifests = work.manifests("");
    write(secrets.path(), "keys", &format!("{KEY}\n"));
    let keys = secrets.path().join("keys");
    let start = || replica(manifests.path(), &keys, "30s");
    let (keeper, holder, third) = tokio::join!(start(), start(), start());
    tokio::join!(keeper.until_ready(), holder.until_ready(), third.until_ready());
    let id = legacy_start(&keeper).await;
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let begun = holder.legacy("/mcp", "initialize", &hello).send().await.unwrap();
    let session = begun.headers()["mcp-session-id"].clone();
    for asked in [&keeper, &holder, &third] {
        let status = json!({"name": "task_status", "arguments": {"taskId": id, "wait": 0}});
        let request = asked.legacy("/mcp", "tools/call", &status).header("mcp-session-id", &session);
        let seen = document(request.send().await.unwrap()).await;
        assert_eq!(seen["result"]["structuredContent"]["status"], "working", "{seen}");
    }
}
