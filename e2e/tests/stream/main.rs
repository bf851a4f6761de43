//! What the fleet stream promises, with real runtime processes and the operator's own side of the wire: for faults
//! that no healthy operator makes, and for more changes than a cluster has time for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

mod candidate;
mod keys;
mod signals;
mod swaps;
mod terms;

use mcpfleet_config::Encoded;
use mcpfleet_e2e::{
    harness::eventually,
    loopback::{Hub, Runtime, tool},
};
use std::sync::Arc;

/// A hub with runtimes that serve one tool, `hello`.
async fn fleet(runtimes: u32, flags: &[&str]) -> (Hub, Vec<Runtime>, Vec<String>) {
    let hub = Hub::start().await.unwrap();
    let hash = hub.apply(tool("hello", "first")).unwrap();
    let mut all = Vec::new();
    for number in 0..runtimes {
        all.push(Runtime::start(&hub, number, None, flags).unwrap());
    }
    let uids: Vec<String> = all.iter().map(|runtime| runtime.uid.clone()).collect();
    hub.all_serve(&uids, &hash).await;
    (hub, all, uids)
}

/// What is accepted now.
fn accepted(hub: &Hub) -> Arc<Encoded> {
    hub.accepted().expect("something is accepted").encoded
}

/// Waits until `/readyz` says `status`.
async fn readyz(runtime: &Runtime, status: u16) -> String {
    eventually(&format!("{} /readyz says {status}", runtime.uid), || async {
        let answer =
            reqwest::get(format!("http://{}/readyz", runtime.admin)).await.map_err(|e| e.to_string())?;
        let said = answer.status().as_u16();
        let text = answer.text().await.map_err(|e| e.to_string())?;
        if said == status { Ok(text) } else { Err(format!("{said}: {text}")) }
    })
    .await
}
