//! A server with one slow tool, whose backend keeps a ledger of the calls that reached it.

use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt, api::ListParams};
use mcpfleet_e2e::harness::{Fleet, repository};
use serde_json::Value;
use std::collections::BTreeSet;

fn manifests(replicas: u32) -> String {
    format!(
        "apiVersion: mcpfleet.dev/v1alpha1
kind: McpServer
metadata: {{name: shop}}
spec: {{replicas: {replicas}, auth: {{anonymous: {{}}}}, tools: {{selector: {{}}}}}}
---
apiVersion: mcpfleet.dev/v1alpha1
kind: McpTool
metadata: {{name: slow}}
spec:
  description: Waits.
  inputSchema: {{type: object, required: [ms, call], properties: {{ms: {{type: integer}}, call: {{type: integer}}}}}}
  backend: {{http: {{url: 'http://orders/slow/{{ms}}{{?call}}'}}}}
"
    )
}

/// A fleet with the server and its backend, both ready.
pub(crate) async fn opened(test: &str, replicas: u32) -> Fleet {
    let fleet = Fleet::new(test).await.unwrap();
    fleet.apply_path(&repository().join("examples/support/backends.yaml")).await.unwrap();
    fleet.apply(&manifests(replicas)).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    fleet.kubectl(&["rollout", "status", "deployment/orders", "--timeout=150s"]).await.unwrap();
    fleet
}

/// Names of the server's pods.
pub(crate) async fn pods(fleet: &Fleet) -> BTreeSet<String> {
    let pods =
        fleet.api::<Pod>().list(&ListParams::default().labels("mcpfleet.dev/server=shop")).await.unwrap();
    pods.iter().map(ResourceExt::name_any).collect()
}

/// Numbers of the calls that reached the backend, in order, each as often as it did.
pub(crate) async fn ran(fleet: &Fleet) -> Vec<usize> {
    let url = format!("{}/ledger", fleet.service_url("orders").await.unwrap());
    let ledger: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let number = |request: &Value| request["target"].as_str()?.split_once("call=")?.1.parse().ok();
    let mut ran: Vec<usize> = ledger.as_array().unwrap().iter().filter_map(number).collect();
    ran.sort_unstable();
    ran
}
