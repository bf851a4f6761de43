//! Changes that replace pods lose no call: every call that a client sent is answered, and ran once.

use mcpfleet_e2e::harness::{Era, Fleet, call_tool, repository};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

#[tokio::test]
async fn a_rolling_restart_loses_no_call() {
    let fleet = Fleet::new("rollout").await.unwrap();
    fleet.apply_path(&repository().join("examples/support/backends.yaml")).await.unwrap();
    fleet
        .apply(
            "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {name: shop}\n\
             spec: {replicas: 2, auth: {anonymous: {}}, tools: {selector: {}}}\n---\n\
             apiVersion: mcpfleet.dev/v1alpha1\nkind: McpTool\nmetadata: {name: slow}\nspec:\n  description: Waits.\n  \
             inputSchema: {type: object, required: [ms, call], properties: {ms: {type: integer}, call: {type: integer}}}\n  \
             backend: {http: {url: 'http://orders/slow/{ms}{?call}'}}\n",
        )
        .await
        .unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    fleet.kubectl(&["rollout", "status", "deployment/orders", "--timeout=150s"]).await.unwrap();
    let url = format!("{}/mcp", fleet.service_url("shop").await.unwrap());

    let done = Arc::new(AtomicBool::new(false));
    let callers = (0..4).map(|caller| {
        let (url, done) = (url.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut sent = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let call = caller * 1_000_000 + sent.len();
                let (text, failed) =
                    call_tool(&url, Era::Modern, "slow", json!({"ms": 300, "call": call})).await.expect("no call is lost");
                assert!(!failed, "{text}");
                sent.push(call);
            }
            sent
        })
    });
    let callers: Vec<_> = callers.collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    fleet.kubectl(&["rollout", "restart", "deployment/shop"]).await.unwrap();
    fleet.kubectl(&["rollout", "status", "deployment/shop", "--timeout=150s"]).await.unwrap();
    // The last old pod ends after the rollout is complete: wait until only new ones are left.
    fleet.kubectl(&["wait", "pod", "-l", "mcpfleet.dev/server=shop", "--for=condition=Ready", "--timeout=150s"]).await.ok();
    done.store(true, Ordering::Relaxed);
    let mut sent = Vec::new();
    for caller in callers {
        sent.extend(caller.await.unwrap());
    }
    assert!(sent.len() > 20, "the load went on during the rollout: {} calls", sent.len());

    let ledger: Value =
        reqwest::get(format!("{}/ledger", fleet.service_url("orders").await.unwrap())).await.unwrap().json().await.unwrap();
    let mut ran: Vec<usize> = ledger
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|request| request["target"].as_str()?.split_once("call=")?.1.parse().ok())
        .collect();
    ran.sort_unstable();
    sent.sort_unstable();
    assert_eq!(ran, sent, "each call ran exactly once");
    fleet.delete().await.unwrap();
}
