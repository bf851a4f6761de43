//! Configurations change under load, and no call notices.

use super::fleet;
use mcpfleet_e2e::{
    harness::{Era, call_tool, list_tools},
    loopback::tool,
};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Configurations in a row.
const SWAPS: usize = 1_000;

/// Calls without a pause; returns what each was answered.
fn caller(url: String, era: Era, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let mut answers = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let (text, failed) = call_tool(&url, era, "hello", json!({})).await.expect("no call is lost");
            assert!(!failed, "{text}");
            let tools = list_tools(&url, era).await.expect("no list is lost");
            assert_eq!(tools, ["hello"]);
            answers.push(text);
        }
        answers
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_over_a_thousand_swaps() {
    let (hub, runtimes, uids) = fleet(2, &[]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = runtimes
        .iter()
        .flat_map(|runtime| [Era::Legacy, Era::Modern].map(|era| caller(runtime.url(), era, stop.clone())))
        .collect();
    for swap in 0..SWAPS {
        hub.time_to_acknowledge(tool("hello", &format!("text {swap}")), &uids).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        let answers = caller.await.unwrap();
        // Each answer is that of one configuration, and they come in order.
        let order: Vec<usize> =
            answers.iter().filter_map(|text| text.strip_prefix("text ")?.parse().ok()).collect();
        assert!(order.is_sorted(), "a later call was answered from an earlier configuration");
        assert!(order.len() > 10, "there was load: {}", order.len());
    }
    assert_eq!(hub.accepted().map(|config| config.revision), Some(SWAPS as u64 + 1));
}
