//! Tasks where replicas share a store: they are there before their ids are, and outlive whoever works on them.

use crate::{
    client::{Declares, ask, call, code, get, id_of, until_status},
    held::{Work, legacy_call, legacy_start, legacy_status, replica},
    manifests::write,
    process::{Runtime, document},
    redis::Redis,
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tempfile::TempDir;

const KEY: &str = "8b1f0c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

/// Two replicas of a server, and what they share.
struct Pair {
    work: Work,
    redis: Option<Redis>,
    one: Runtime,
    other: Runtime,
    /// Of the manifests and of the keys: they are read as long as anybody runs.
    dirs: (TempDir, TempDir),
}

impl Pair {
    async fn start(text: &'static str) -> Self {
        let (work, redis) = (Work::saying(text).await, Redis::start().await);
        let manifests = work.manifests("  store: {redis: {secretRef: {name: redis, key: url}}}\n");
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: redis, namespace: agents}}\nstringData: {{url: 'redis://{}'}}\n",
            redis.address
        );
        write(manifests.path(), "redis.yaml", &secret);
        let secrets = tempfile::tempdir().unwrap();
        let keys = secrets.path().join("keys");
        write(secrets.path(), "keys", &format!("{KEY}\n"));
        let start = || replica(manifests.path(), &keys, "1s");
        let (one, other) = tokio::join!(start(), start());
        tokio::join!(one.until_ready(), other.until_ready());
        Self { work, redis: Some(redis), one, other, dirs: (manifests, secrets) }
    }
}

/// Asks as long as it takes: a replica that is gone is missed after a while.
async fn until_ended(runtime: &Runtime, id: &str) -> Value {
    loop {
        let task = get(runtime, id).await["result"].clone();
        if task["status"] != "working" {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_result_outlives_the_replica_that_made_it_for_clients_of_every_kind() {
    let Pair { work, redis: _redis, one, other, dirs: _dirs } = Pair::start("exported").await;
    let id = id_of(&call(&one, Declares::Tasks, "export").await);
    let legacy = legacy_start(&one).await;
    assert_eq!(get(&other, &id).await["result"]["status"], "working");
    assert_eq!(legacy_status(&other, &legacy, 0).await["structuredContent"]["status"], "working");
    work.gate.add_permits(2);
    until_status(&other, &id, "completed").await;
    assert_eq!(legacy_status(&other, &legacy, 30).await["content"][1]["text"], "exported");
    one.signal("-KILL");
    one.exit().await;
    let task = get(&other, &id).await["result"].clone();
    assert_eq!((&task["status"], &task["taskId"]), (&json!("completed"), &json!(id)), "{task}");
    assert_eq!(task["result"]["content"][0]["text"], "exported");
    assert_eq!(legacy_status(&other, &legacy, 0).await["content"][1]["text"], "exported");
    assert_eq!(work.begun(), 2);
}

#[tokio::test]
async fn a_task_whose_replica_was_killed_fails_and_is_not_run_again() {
    let Pair { work, redis: _redis, one, other, dirs: _dirs } = Pair::start("exported").await;
    let (lost, given_up) = (
        id_of(&call(&one, Declares::Tasks, "export").await),
        id_of(&call(&one, Declares::Tasks, "export").await),
    );
    work.service.seen_until(|seen| seen.len() == 2).await;
    one.signal("-KILL");
    one.exit().await;
    let cancelled = ask(&other, Declares::Tasks, "tasks/cancel", json!({"taskId": given_up})).await;
    assert_eq!(cancelled["result"]["resultType"], "complete", "{cancelled}");
    assert_eq!(get(&other, &given_up).await["result"]["status"], "cancelled");
    let task = until_ended(&other, &lost).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!(-31502)), "{task}");
    assert!(task["statusMessage"].as_str().unwrap().contains("may have taken effect"), "{task}");
    let update =
        ask(&other, Declares::Tasks, "tasks/update", json!({"taskId": lost, "inputResponses": {}})).await;
    assert_eq!(update["result"]["resultType"], "complete", "what has ended acknowledges: {update}");
    assert_eq!(work.begun(), 2);
}

#[tokio::test]
async fn a_replica_that_is_told_to_stop_says_what_became_of_its_tasks() {
    let Pair { work, redis: _redis, one, other, dirs: _dirs } = Pair::start("exported").await;
    let id = legacy_start(&one).await;
    work.until_begun().await;
    one.signal("-TERM");
    assert!(one.exit().await.success());
    let failed = legacy_status(&other, &id, 0).await;
    assert_eq!(
        (&failed["structuredContent"]["status"], &failed["isError"]),
        (&json!("failed"), &json!(true)),
        "{failed}"
    );
    assert!(failed["content"][0]["text"].as_str().unwrap().contains("was stopped"), "{failed}");
}

#[tokio::test]
async fn any_replica_gives_a_task_up() {
    let Pair { work, redis: _redis, one, other, dirs: _dirs } = Pair::start("exported").await;
    let id = legacy_start(&one).await;
    work.until_begun().await;
    let cancelled = legacy_call(&other, "task_cancel", json!({"taskId": id})).await;
    assert_eq!(cancelled["structuredContent"]["status"], "cancelled", "{cancelled}");
    assert_eq!(legacy_status(&one, &id, 0).await["structuredContent"]["status"], "cancelled");
}

#[tokio::test]
async fn without_its_store_no_task_is_promised_and_nothing_is_begun() {
    let Pair { work, mut redis, one, other: _other, dirs: _dirs } = Pair::start("exported").await;
    redis.take();
    let params = json!({"name": "export", "arguments": {}});
    let refused = ask(&one, Declares::Tasks, "tools/call", params).await;
    assert_eq!(code(&refused), -31503, "{refused}");
    assert!(refused["error"]["data"]["retryAfterSeconds"].is_u64(), "{refused}");
    let params = json!({"name": "export_start", "arguments": {}});
    let refused = document(one.legacy("/mcp", "tools/call", &params).send().await.unwrap()).await;
    assert_eq!(code(&refused), -31503, "{refused}");
    assert_eq!(work.begun(), 0);
}

#[tokio::test]
async fn a_store_that_was_gone_when_the_work_ended_learns_of_it() {
    let Pair { work, mut redis, one, other, dirs: _dirs } = Pair::start("exported").await;
    let id = id_of(&call(&one, Declares::Tasks, "export").await);
    work.until_begun().await;
    let address = redis.take().unwrap().address;
    work.gate.add_permits(1);
    let task = until_ended(&one, &id).await;
    assert_eq!(task["status"], "completed", "whoever worked on it knows: {task}");
    let _again = Redis::at(address).await;
    // The replica that knows the end writes it by and by; what it can be asked for meanwhile is forwarded to it.
    let in_store = loop {
        let keys = keys(address).await;
        if keys.iter().any(|key| key.starts_with("mcpfleet:agents/support:task:") && !key.ends_with(":lease"))
        {
            break keys;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(!in_store.is_empty());
    one.signal("-KILL");
    one.exit().await;
    assert_eq!(until_ended(&other, &id).await["result"]["content"][0]["text"], "exported");
}

/// Every key in a Redis, asked in its own words.
async fn keys(address: SocketAddr) -> Vec<String> {
    let output = tokio::process::Command::new("redis-cli")
        .args(["-h", &address.ip().to_string(), "-p", &address.port().to_string(), "--raw", "keys", "*"])
        .output()
        .await
        .unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn a_result_that_no_store_takes_fails_the_task_and_says_so() {
    let long: &'static str = Box::leak("x".repeat(1_500_000).into_boxed_str());
    let Pair { work, redis: _redis, one, other, dirs: _dirs } = Pair::start(long).await;
    let id = id_of(&call(&one, Declares::Tasks, "export").await);
    work.gate.add_permits(1);
    let task = until_ended(&other, &id).await;
    assert_eq!(task["status"], "failed");
    assert!(task["statusMessage"].as_str().unwrap().contains("was carried out"), "{}", task["statusMessage"]);
}
