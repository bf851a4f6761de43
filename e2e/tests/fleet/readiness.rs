//! A pod is Ready only while a client could really use it: a healthy process and admin port are not enough.

use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt, api::ListParams};
use mcpfleet_e2e::harness::{Fleet, eventually, run};
use rcgen::{CertificateParams, KeyPair};

const SHOP: &str = "apiVersion: mcpfleet.dev/v1alpha1
kind: McpTool
metadata: {name: hello, labels: {fleet: shop}}
spec: {description: Greets., backend: {static: {text: hello}}}
---
apiVersion: mcpfleet.dev/v1alpha1
kind: McpServer
metadata: {name: shop}
spec:
  auth: {anonymous: {}}
  tools: {selector: {matchLabels: {fleet: shop}}}
";

async fn only_pod(fleet: &Fleet) -> Pod {
    let pods =
        fleet.api::<Pod>().list(&ListParams::default().labels("mcpfleet.dev/server=shop")).await.unwrap();
    pods.items.into_iter().next().expect("the server has a pod")
}

fn condition(pod: &Pod, kind: &str) -> String {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
    conditions.into_iter().find(|c| c.type_ == kind).map(|c| c.status).unwrap_or_default()
}

async fn pod_becomes(fleet: &Fleet, ready: &str) -> Pod {
    eventually(&format!("the pod's Ready is {ready}"), || async {
        let pod = only_pod(fleet).await;
        if condition(&pod, "Ready") == ready { Ok(pod) } else { Err(pod.status) }
    })
    .await
}

fn restarts(pod: &Pod) -> i32 {
    pod.status
        .as_ref()
        .and_then(|s| s.container_statuses.as_ref()?.first().map(|c| c.restart_count))
        .unwrap_or(-1)
}

/// Drops every packet to the data port inside the pod, loopback included: the socket stays open, nothing is
/// accepted, and process and admin port are as healthy as before.
#[tokio::test]
async fn a_listener_that_nobody_can_reach_makes_the_pod_not_ready() {
    let Ok(cluster) = std::env::var("MCPFLEET_CLUSTER_COMMAND") else { panic!("run by `make test-e2e`") };
    assert_ne!(std::env::var("CLUSTER").as_deref(), Ok("current"), "this fault needs the local cluster");
    let fleet = Fleet::new("deaf").await.unwrap();
    fleet.apply(SHOP).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    let pod = pod_becomes(&fleet, "True").await;
    let name = pod.name_any();
    let rule = |action: &'static str| {
        let (cluster, namespace, name) = (cluster.clone(), fleet.namespace.clone(), name.clone());
        async move {
            let args = [
                "pod-exec", &namespace, &name, "--", "iptables", action, "INPUT", "-p", "tcp", "--dport",
                "8080", "-j", "DROP",
            ];
            run(&cluster, &args).await.unwrap()
        }
    };
    rule("-A").await;
    let deaf = pod_becomes(&fleet, "False").await;
    assert_eq!(deaf.status.as_ref().unwrap().phase.as_deref(), Some("Running"));
    assert_eq!(restarts(&deaf), 0, "liveness is about the process alone");
    fleet.server_condition("shop", "Available", "False").await;

    rule("-D").await;
    pod_becomes(&fleet, "True").await;
    fleet.server_condition("shop", "Ready", "True").await;
    fleet.delete().await.unwrap();
}

fn certificate(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn secret(certificate: &str, key: &str) -> String {
    let data = serde_json::json!({"tls.crt": certificate, "tls.key": key});
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: shop-tls}}\ntype: kubernetes.io/tls\nstringData: {data}\n"
    )
}

#[tokio::test]
async fn a_certificate_for_another_name_makes_the_pod_not_ready_until_it_is_replaced() {
    let fleet = Fleet::new("cert").await.unwrap();
    let (wrong, wrong_key) = certificate("somebody.else.example.com");
    fleet.apply(&secret(&wrong, &wrong_key)).await.unwrap();
    fleet.apply(&format!("{SHOP}  tls: {{secretRef: {{name: shop-tls}}}}\n")).await.unwrap();
    let condition = fleet.server_condition_for("shop", "Ready", "False", "CertificateInvalid").await;
    assert!(condition.message.contains(&format!("shop.{}.svc", fleet.namespace)), "{}", condition.message);
    let pod = pod_becomes(&fleet, "False").await;

    let (right, right_key) = certificate(&format!("shop.{}.svc", fleet.namespace));
    fleet.apply(&secret(&right, &right_key)).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    let healed = pod_becomes(&fleet, "True").await;
    assert_eq!(healed.uid(), pod.uid(), "a renewed certificate needs no restart");
    assert_eq!(restarts(&healed), restarts(&pod));
    assert!(fleet.service_url("shop").await.unwrap().starts_with("https://"));
    fleet.delete().await.unwrap();
}
