//! A configuration that a runtime refuses reaches nobody else.

use super::{accepted, fleet, readyz};
use mcpfleet_config::{ConfigHash, Encoded};
use mcpfleet_e2e::{
    harness::{Era, call_tool, eventually},
    loopback::{Hub, Runtime, tool},
};
use serde_json::json;
use std::sync::Arc;

/// Who has refused `hash`, and why.
fn refusals(hub: &Hub, uids: &[String], hash: &ConfigHash) -> Vec<String> {
    let statuses = hub.statuses(uids).into_iter().flatten();
    let rejected = statuses.filter_map(|status| status.rejected.filter(|rejected| rejected.hash == *hash));
    rejected.map(|rejected| rejected.message).collect()
}

async fn refused_by_one(hub: &Hub, uids: &[String], hash: &ConfigHash) -> String {
    eventually("one pod refuses", || async {
        match refusals(hub, uids, hash).as_slice() {
            [only] => Ok(only.clone()),
            others => Err(format!("{others:?}")),
        }
    })
    .await
}

async fn says(runtime: &Runtime, text: &str) {
    let answer = call_tool(&runtime.url(), Era::Modern, "hello", json!({})).await.unwrap();
    assert_eq!(answer, (text.to_owned(), false));
}

#[tokio::test]
async fn a_corrupted_candidate_is_refused_by_one_and_reaches_nobody_else() {
    let (hub, runtimes, uids) = fleet(3, &[]).await;
    let before = accepted(&hub);
    let promised = ConfigHash::of(b"what was to be sent");
    let broken: [(&str, Encoded, &str); 2] = [
        (
            "damaged on its way",
            Encoded { json: before.json.replace("first", "fir5t"), hash: promised },
            "hash",
        ),
        (
            "no configuration",
            Encoded { json: "{\"format\":1}".into(), hash: ConfigHash::of(b"{\"format\":1}") },
            "missing field",
        ),
    ];
    for (what, encoded, said) in broken {
        let hash = encoded.hash.clone();
        hub.offer(&Arc::new(encoded));
        let why = refused_by_one(&hub, &uids, &hash).await;
        assert!(why.contains(said), "{what}: {why}");
        assert_eq!(accepted(&hub).hash, before.hash, "{what}");
        for runtime in &runtimes {
            says(runtime, "first").await;
        }
    }
    // A pod that starts meanwhile starts on what is accepted.
    let late = Runtime::start(&hub, 9, Some(&before), &[]).unwrap();
    readyz(&late, 200).await;
    says(&late, "first").await;
    // And the next good one reaches all.
    let hash = hub.apply(tool("hello", "second")).unwrap();
    hub.all_serve(&uids, &hash).await;
    assert_eq!(accepted(&hub).hash, hash);
    assert_eq!(refusals(&hub, &uids, &hash), [] as [String; 0]);
}

#[tokio::test]
async fn a_runtime_of_an_older_format_serves_what_it_can_read_and_says_what_it_cannot() {
    let (hub, runtimes, uids) = fleet(2, &["--max-config-format", "1"]).await;
    let before = accepted(&hub);
    let newer = hub.serve_with(json!({"admission": {"maxStreams": 7}})).unwrap();
    let why = refused_by_one(&hub, &uids, &newer).await;
    assert!(
        why.contains("format 2") && why.contains("up to 1") && why.contains("upgrade the runtime image"),
        "{why}"
    );
    assert_eq!(accepted(&hub).hash, before.hash);
    says(&runtimes[0], "first").await;
    // Without what is new, the same runtimes follow again: the operator writes the oldest format that will do.
    hub.serve_with(json!({})).unwrap();
    let hash = hub.apply(tool("hello", "second")).unwrap();
    hub.all_serve(&uids, &hash).await;
}

#[tokio::test]
async fn a_newer_runtime_takes_what_an_older_one_refused_once_that_one_has_gone() {
    let (hub, mut runtimes, mut uids) = fleet(1, &["--max-config-format", "1"]).await;
    let newer = hub.serve_with(json!({"admission": {"maxStreams": 7}})).unwrap();
    refused_by_one(&hub, &uids, &newer).await;
    let upgraded = Runtime::start(&hub, 1, Some(&accepted(&hub)), &[]).unwrap();
    readyz(&upgraded, 200).await;
    drop(runtimes.remove(0));
    uids = vec![upgraded.uid.clone()];
    hub.all_serve(&uids, &newer).await;
    assert_eq!(accepted(&hub).hash, newer);
}
