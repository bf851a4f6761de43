//! A change reaches every running pod, each says so, and one that a runtime refuses reaches nobody else.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{ResourceExt, api::ListParams};
use mcpfleet_crds::v1alpha1::{ConfigStatus, McpServer, McpTool};
use mcpfleet_e2e::harness::{Era, Fleet, call_tool, eventually};
use serde_json::json;
use std::collections::BTreeMap;

fn shop(replicas: u32, image: &str) -> String {
    format!(
        "apiVersion: mcpfleet.dev/v1alpha1
kind: McpServer
metadata: {{name: shop}}
spec: {{replicas: {replicas}, auth: {{anonymous: {{}}}}, tools: {{selector: {{}}}}, template: {{{image}}}}}
---
apiVersion: mcpfleet.dev/v1alpha1
kind: McpTool
metadata: {{name: hello}}
spec: {{description: Says hello., backend: {{static: {{text: first}}}}}}
"
    )
}

/// Pods of the server with their restarts.
async fn pods(fleet: &Fleet) -> BTreeMap<String, i32> {
    let selector = ListParams::default().labels("mcpfleet.dev/server=shop");
    let pods = fleet.api::<Pod>().list(&selector).await.unwrap();
    let restarts = |pod: &Pod| {
        let statuses =
            pod.status.as_ref().and_then(|status| status.container_statuses.clone()).unwrap_or_default();
        statuses.iter().map(|status| status.restart_count).sum()
    };
    pods.iter().map(|pod| (pod.name_any(), restarts(pod))).collect()
}

async fn config(fleet: &Fleet) -> ConfigStatus {
    fleet.api::<McpServer>().get("shop").await.unwrap().status.unwrap_or_default().config
}

/// Waits until every one of `total` pods has acknowledged what is declared.
async fn synced(fleet: &Fleet, total: i32) -> ConfigStatus {
    eventually("every pod has acknowledged the configuration", || async {
        let config = config(fleet).await;
        let all =
            config.total == total && config.synced == total && config.rejected == 0 && config.stale == 0;
        if all && config.desired_hash == config.accepted_hash { Ok(config) } else { Err(config) }
    })
    .await
}

/// What the ConfigMap's annotation says of the configuration that it holds.
async fn stored(fleet: &Fleet, annotation: &str) -> String {
    let stored = fleet.api::<ConfigMap>().get("shop").await.unwrap();
    stored.annotations()[&format!("mcpfleet.dev/{annotation}")].clone()
}

async fn hello(fleet: &Fleet) -> String {
    let url = format!("{}/mcp", fleet.service_url("shop").await.unwrap());
    call_tool(&url, Era::Modern, "hello", json!({})).await.unwrap().0
}

#[tokio::test]
async fn a_change_is_acknowledged_by_every_pod_and_touches_none() {
    let fleet = Fleet::new("live").await.unwrap();
    fleet.apply(&shop(3, "")).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    let first = synced(&fleet, 3).await;
    let before = pods(&fleet).await;
    let revision = stored(&fleet, "config-revision").await.parse::<u64>().unwrap();
    let text = json!({"spec": {"backend": {"static": {"text": "second"}}}});
    fleet.patch::<McpTool>("hello", text).await.unwrap();
    let second = eventually("the new configuration is desired", || async {
        let config = config(&fleet).await;
        if config.desired_hash == first.desired_hash { Err("not yet") } else { Ok(config) }
    })
    .await;
    let second = synced(&fleet, 3).await.accepted_hash == second.desired_hash;
    assert!(second);
    fleet.server_condition("shop", "ConfigSynced", "True").await;
    assert_eq!(hello(&fleet).await, "second");
    assert_eq!(pods(&fleet).await, before, "no pod was replaced or restarted");
    assert_eq!(stored(&fleet, "config-hash").await, config(&fleet).await.accepted_hash);
    assert_eq!(stored(&fleet, "config-revision").await, (revision + 1).to_string());
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn a_refused_configuration_fails_the_change_while_users_are_served() {
    let old = std::env::var("MCPFLEET_OLD_RUNTIME_IMAGE").expect("set by make test-e2e");
    let fleet = Fleet::new("refused").await.unwrap();
    fleet.apply(&shop(2, &format!("image: '{old}'"))).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    let accepted = synced(&fleet, 2).await.accepted_hash;

    fleet.patch::<McpServer>("shop", json!({"spec": {"admission": {"maxStreams": 7}}})).await.unwrap();
    let ready = fleet.server_condition_for("shop", "Ready", "False", "ConfigRejected").await;
    assert!(
        ready.message.contains("pod shop-") && ready.message.contains("upgrade the runtime image"),
        "{}",
        ready.message
    );
    for (type_, status) in [("ConfigSynced", "False"), ("Stalled", "True"), ("Available", "True")] {
        fleet.server_condition("shop", type_, status).await;
    }
    let config = config(&fleet).await;
    assert_eq!((config.total, config.synced, config.rejected), (2, 0, 1), "one was asked");
    assert_eq!(config.accepted_hash, accepted);
    assert_eq!(hello(&fleet).await, "first");

    // A pod that starts meanwhile starts on what is accepted.
    fleet.kubectl(&["scale", "mcpserver", "shop", "--replicas=3"]).await.unwrap();
    eventually("the third pod is Ready", || async {
        let server = fleet.api::<McpServer>().get("shop").await.unwrap();
        let ready = server.status.map(|status| status.ready_replicas);
        if ready == Some(3) { Ok(()) } else { Err(ready) }
    })
    .await;
    let events = fleet.kubectl(&["get", "events", "-o", "json"]).await.unwrap();
    let events: serde_json::Value = serde_json::from_str(&events).unwrap();
    let told = |event: &&serde_json::Value| event["reason"] == "ConfigRejected" && event["action"] == "Ready";
    assert_eq!(events["items"].as_array().unwrap().iter().filter(told).count(), 1, "told once");

    // Runtimes that can read it take it.
    fleet.patch::<McpServer>("shop", json!({"spec": {"template": {"image": null}}})).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    assert_ne!(synced(&fleet, 3).await.accepted_hash, accepted);
    fleet.delete().await.unwrap();
}
