//! What the operator does when nothing happens, and when it is itself the one that is hit. These tests change or
//! count what all fleets share, and so run by themselves, one after the other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use k8s_openapi::api::{
    coordination::v1::Lease,
    core::v1::{Namespace, Pod},
};
use kube::{Api, ResourceExt, api::ListParams};
use mcpfleet_crds::v1alpha1::{McpServer, McpTool};
use mcpfleet_e2e::harness::{Era, Fleet, client, eventually, list_tools, repository, run, writes};
use serde_json::json;
use std::time::Duration;
use tokio::sync::Mutex;

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
const SYSTEM: &str = "mcpfleet-system";

/// Name of the pod that leads: the identity in the Lease says also where it is reached.
async fn holder() -> String {
    let api: Api<Lease> = Api::namespaced(client().await.unwrap(), SYSTEM);
    let lease = api.get("mcpfleet-operator").await.unwrap();
    let identity = lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default();
    identity.split('_').next().unwrap_or_default().to_owned()
}

/// Waits until what other tests left behind is gone: its deletion is written by the API server too.
async fn others_are_gone() {
    let api: Api<Namespace> = Api::all(client().await.unwrap());
    eventually("namespaces of other tests are gone", || async {
        let left = api.list(&ListParams::default().labels("mcpfleet.dev/e2e")).await.unwrap();
        let going: Vec<_> = left
            .iter()
            .filter(|ns| ns.metadata.deletion_timestamp.is_some())
            .map(ResourceExt::name_any)
            .collect();
        if going.is_empty() { Ok(()) } else { Err(going) }
    })
    .await;
}

async fn support_fleet(test: &str) -> Fleet {
    others_are_gone().await;
    let fleet = Fleet::new(test).await.unwrap();
    fleet.apply_path(&repository().join("examples/support")).await.unwrap();
    fleet.server_condition("support", "Ready", "True").await;
    fleet.server_condition("crm", "Ready", "True").await;
    fleet.tool_ready("find-order", "True", "").await;
    fleet.route_ready("models", "True", "").await;
    fleet
}

/// How long the API server is watched, by default; `MCPFLEET_REST_SECONDS` makes it longer.
fn rest() -> Duration {
    let seconds = std::env::var("MCPFLEET_REST_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(30))
}

#[tokio::test]
async fn at_rest_nothing_is_written() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let fleet = support_fleet("rest").await;
    let quiet = eventually("two looks, a while apart, show no write", || async {
        let before = writes(&fleet.client).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let after = writes(&fleet.client).await.unwrap();
        if before == after { Ok(after) } else { Err("still settling") }
    })
    .await;
    tokio::time::sleep(rest()).await;
    assert_eq!(writes(&fleet.client).await.unwrap(), quiet);
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn another_replica_takes_over_and_rewrites_nothing() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let fleet = support_fleet("failover").await;
    let leader = holder().await;
    assert!(!leader.is_empty());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = writes(&fleet.client).await.unwrap();
    run("kubectl", &["-n", SYSTEM, "delete", "pod", &leader, "--force", "--grace-period=0"]).await.unwrap();
    eventually("another replica holds the lease", || async {
        let now = holder().await;
        if now != leader && !now.is_empty() { Ok(()) } else { Err(now) }
    })
    .await;
    // It works: a change is acted upon.
    fleet.kubectl(&["scale", "mcpserver", "crm", "--replicas=2"]).await.unwrap();
    eventually("the new leader acts", || async {
        let server = fleet.api::<mcpfleet_crds::v1alpha1::McpServer>().get("crm").await.unwrap();
        let ready = server.status.map(|status| status.ready_replicas);
        if ready == Some(2) { Ok(()) } else { Err(ready) }
    })
    .await;
    let after = writes(&fleet.client).await.unwrap();
    let count = |all: &std::collections::BTreeMap<String, u64>, kind: &str| -> u64 {
        all.iter().filter(|(key, _)| key.ends_with(&format!(" {kind}"))).map(|(_, count)| count).sum()
    };
    for kind in ["configmaps", "services", "serviceaccounts", "networkpolicies", "mcptools", "providerroutes"]
    {
        assert_eq!(count(&after, kind), count(&before, kind), "{kind} were rewritten: {before:?} {after:?}");
    }
    fleet.delete().await.unwrap();
}

async fn operators(replicas: u32) {
    let replicas_flag = format!("--replicas={replicas}");
    run("kubectl", &["-n", SYSTEM, "scale", "deployment", "mcpfleet-operator", &replicas_flag])
        .await
        .unwrap();
    let api: Api<Pod> = Api::namespaced(client().await.unwrap(), SYSTEM);
    let selector = ListParams::default().labels("app.kubernetes.io/name=mcpfleet-operator");
    eventually("the operator has as many pods", || async {
        let pods = api.list(&selector).await.unwrap().items.len();
        if pods == replicas as usize { Ok(()) } else { Err(pods) }
    })
    .await;
}

#[tokio::test]
async fn without_an_operator_pods_serve_on_and_new_ones_start_and_its_return_rewrites_nothing() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let fleet = support_fleet("gone").await;
    fleet.server_condition("support", "ConfigSynced", "True").await;
    let config =
        || async { fleet.api::<McpServer>().get("support").await.unwrap().status.unwrap_or_default().config };
    let first = config().await;
    operators(0).await;
    let before = writes(&fleet.client).await.unwrap();
    let url = format!("{}/mcp", fleet.service_url("crm").await.unwrap());
    let tools = list_tools(&url, Era::Modern).await.unwrap();
    // A pod that starts meanwhile starts from the accepted configuration.
    let pods = fleet.kubectl(&["get", "pods", "-l", "mcpfleet.dev/server=crm", "-o", "name"]).await.unwrap();
    fleet.kubectl(&["delete", pods.trim(), "--wait=false"]).await.unwrap();
    fleet.kubectl(&["rollout", "status", "deployment/crm", "--timeout=150s"]).await.unwrap();
    eventually("another pod serves the same tools", || async {
        let now =
            fleet.kubectl(&["get", "pods", "-l", "mcpfleet.dev/server=crm", "-o", "name"]).await.unwrap();
        let listed = list_tools(&url, Era::Legacy).await.map_err(|error| error.to_string())?;
        if now != pods && listed == tools { Ok(()) } else { Err(format!("{now} {listed:?}")) }
    })
    .await;
    operators(2).await;
    // It works again: a change reaches the pod that started without it.
    fleet.patch::<McpTool>("return-policy", json!({"spec": {"description": "Another."}})).await.unwrap();
    eventually("the change has arrived", || async {
        let config = config().await;
        let arrived = config.total > 0 && config.synced == config.total && config.stale == 0;
        let another = config.desired_hash != first.desired_hash;
        if arrived && another && config.desired_hash == config.accepted_hash { Ok(()) } else { Err(config) }
    })
    .await;
    let after = writes(&fleet.client).await.unwrap();
    for kind in ["services", "serviceaccounts", "networkpolicies", "poddisruptionbudgets", "providerroutes"] {
        let count = |all: &std::collections::BTreeMap<String, u64>| -> u64 {
            // Kubernetes' own controllers update what is theirs; only the operator applies.
            let ours = format!("APPLY {kind}");
            all.iter().filter(|(key, _)| **key == ours).map(|(_, count)| count).sum()
        };
        assert_eq!(count(&after), count(&before), "{kind} were rewritten: {before:?} {after:?}");
    }
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn both_replicas_are_ready_and_only_one_leads() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let api: Api<Pod> = Api::namespaced(client().await.unwrap(), SYSTEM);
    eventually("two ready replicas", || async {
        let pods = api
            .list(&ListParams::default().labels("app.kubernetes.io/name=mcpfleet-operator"))
            .await
            .unwrap();
        let ready = pods
            .iter()
            .filter(|pod| {
                let conditions = pod.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
                conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True")
            })
            .map(ResourceExt::name_any)
            .collect::<Vec<_>>();
        if ready.len() == 2 && ready.contains(&holder().await) { Ok(()) } else { Err(ready) }
    })
    .await;
}
