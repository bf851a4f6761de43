//! Pods say what they have to do, and do what they are told.

use super::{fleet, readyz};
use mcpfleet_config::stream::Serving;
use mcpfleet_e2e::{
    harness::{Era, call_tool, eventually},
    loopback::tool,
};
use serde_json::json;

#[tokio::test]
async fn finished_calls_are_reported() {
    let (hub, runtimes, uids) = fleet(1, &[]).await;
    for _ in 0..5 {
        call_tool(&runtimes[0].url(), Era::Modern, "hello", json!({})).await.unwrap();
    }
    let signals = eventually("five calls are reported", || async {
        let signals = hub.signals(&uids[0]).ok_or("not connected")?;
        if signals.finished == 5 { Ok(signals) } else { Err("not yet") }
    })
    .await;
    assert_eq!((signals.running, signals.queued, signals.refused), (0, 0, 0));
    assert_eq!((signals.concurrency, signals.queue_length, signals.max_streams), (64, 256, 4_096));
}

#[tokio::test]
async fn a_draining_pod_is_not_ready_and_serves_and_comes_back_when_told() {
    let (hub, runtimes, uids) = fleet(1, &[]).await;
    readyz(&runtimes[0], 200).await;
    hub.serve(&uids[0], Serving::Draining);
    let why = readyz(&runtimes[0], 503).await;
    assert!(why.contains("drain"), "{why}");
    let answer = call_tool(&runtimes[0].url(), Era::Modern, "hello", json!({})).await.unwrap();
    assert_eq!(answer, ("first".into(), false));
    // It still follows changes.
    let hash = hub.apply(tool("hello", "second")).unwrap();
    hub.all_serve(&uids, &hash).await;
    assert_eq!(hub.signals(&uids[0]).map(|signals| signals.serving), Some(Serving::Draining));
    hub.serve(&uids[0], Serving::Normal);
    readyz(&runtimes[0], 200).await;
}
