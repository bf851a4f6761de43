//! Changes that replace pods lose no call: every call that a client sent is answered, and ran once.

use crate::shop::{opened, pods, ran};
use mcpfleet_e2e::harness::{Era, call_tool, eventually};
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::task::JoinHandle;

/// Four callers that never rest, each call with a number of its own.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    callers: Vec<JoinHandle<Vec<usize>>>,
}

impl Load {
    fn start(url: &str) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let callers = (0..4)
            .map(|caller| {
                let (url, stop, answered) = (url.to_owned(), Arc::clone(&stop), Arc::clone(&answered));
                tokio::spawn(async move {
                    let mut sent = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let call = caller * 1_000_000 + sent.len();
                        let arguments = json!({"ms": 300, "call": call});
                        let (text, failed) =
                            call_tool(&url, Era::Modern, "slow", arguments).await.expect("no call is lost");
                        assert!(!failed, "{text}");
                        sent.push(call);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    sent
                })
            })
            .collect();
        Self { stop, answered, callers }
    }

    /// Waits until `more` further calls were answered.
    async fn go_on(&self, more: usize) {
        let goal = self.answered.load(Ordering::Relaxed) + more;
        eventually("calls are answered", || async {
            let answered = self.answered.load(Ordering::Relaxed);
            if answered >= goal { Ok(()) } else { Err(answered) }
        })
        .await;
    }

    async fn stop(self) -> Vec<usize> {
        self.stop.store(true, Ordering::Relaxed);
        let mut sent = Vec::new();
        for caller in self.callers {
            sent.extend(caller.await.unwrap());
        }
        sent.sort_unstable();
        sent
    }
}

#[tokio::test]
async fn a_rolling_restart_loses_no_call() {
    let fleet = opened("rollout", 2).await;
    let old = pods(&fleet).await;

    let load = Load::start(&format!("{}/mcp", fleet.service_url("shop").await.unwrap()));
    load.go_on(8).await;
    fleet.kubectl(&["rollout", "restart", "deployment/shop"]).await.unwrap();
    eventually("every old pod is gone", || async {
        let left: BTreeSet<_> = pods(&fleet).await.intersection(&old).cloned().collect();
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
    load.go_on(8).await;
    let sent = load.stop().await;
    assert_eq!(ran(&fleet).await, sent, "each call ran exactly once");
    fleet.delete().await.unwrap();
}
