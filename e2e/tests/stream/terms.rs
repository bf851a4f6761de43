//! Operators come and go; runtimes serve on.

use super::{accepted, fleet, readyz};
use mcpfleet_e2e::{
    harness::{Era, call_tool, eventually},
    loopback::{Hub, tool},
};
use serde_json::json;

/// Waits until a runtime has logged these words.
async fn logged(hub: &Hub, uid: &str, words: &str) {
    let log = hub.directory().join(uid).join("log");
    eventually(&format!("{uid} logs {words}"), || async {
        let log = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
        if log.contains(words) { Ok(()) } else { Err(log.lines().last().unwrap_or_default().to_owned()) }
    })
    .await;
}

#[tokio::test]
async fn without_an_operator_everything_is_served_and_a_restarted_container_starts_from_what_it_kept() {
    let (mut hub, mut runtimes, uids) = fleet(2, &[]).await;
    let hash = hub.apply(tool("hello", "second")).unwrap();
    hub.all_serve(&uids, &hash).await;
    hub.depose();
    eventually("the streams have ended", || async {
        if uids.iter().all(|uid| hub.signals(uid).is_none()) { Ok(()) } else { Err("still connected") }
    })
    .await;
    // Nothing but its own directory has the configuration.
    let kept = hub.directory().join(&uids[0]).join("state/accepted.config");
    eventually("it has put the configuration by", || async {
        let kept = std::fs::read(&kept).map_err(|error| error.to_string())?;
        if String::from_utf8_lossy(&kept).contains("second") { Ok(()) } else { Err("another".to_owned()) }
    })
    .await;
    runtimes[0].restart().await.unwrap();
    for runtime in &runtimes {
        readyz(runtime, 200).await;
        let answer = call_tool(&runtime.url(), Era::Legacy, "hello", json!({})).await.unwrap();
        assert_eq!(answer.0, "second");
    }
    hub.lead(2);
    let third = hub.apply(tool("hello", "third")).unwrap();
    hub.all_serve(&uids, &third).await;
    assert_eq!(accepted(&hub).hash, third);
}

#[tokio::test]
async fn an_operator_of_an_older_term_is_not_listened_to() {
    let (mut hub, runtimes, uids) = fleet(1, &[]).await;
    hub.depose();
    hub.lead(5);
    logged(&hub, &uids[0], "\"term\":5").await;
    let hash = hub.apply(tool("hello", "second")).unwrap();
    hub.all_serve(&uids, &hash).await;
    // A leader that was deposed and does not know it.
    hub.depose();
    hub.lead(4);
    let stale = hub.apply(tool("hello", "third")).unwrap();
    logged(&hub, &uids[0], "an operator of an older term is not listened to").await;
    let answer = call_tool(&runtimes[0].url(), Era::Modern, "hello", json!({})).await.unwrap();
    assert_eq!(answer.0, "second");
    hub.depose();
    hub.lead(6);
    hub.all_serve(&uids, &stale).await;
}
