//! The objects that the operator makes: theirs to repair, not to fight over; gone with their server.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
};
use kube::{Api, Resource, ResourceExt, api::ListParams, core::NamespaceResourceScope};
use mcpfleet_crds::v1alpha1::McpServer;
use mcpfleet_e2e::harness::{Fleet, eventually};
use serde_json::json;

const SHOP: &str = "apiVersion: mcpfleet.dev/v1alpha1
kind: McpServer
metadata: {name: shop}
spec: {auth: {anonymous: {}}, tools: {selector: {matchLabels: {fleet: shop}}}}
---
apiVersion: mcpfleet.dev/v1alpha1
kind: McpTool
metadata: {name: hello, labels: {fleet: shop}}
spec: {description: Greets., backend: {static: {text: hello}}}
";

async fn shop(test: &str) -> Fleet {
    let fleet = Fleet::new(test).await.unwrap();
    fleet.apply(SHOP).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    fleet
}

async fn exists<K>(api: Api<K>, name: &str) -> bool
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    K::DynamicType: Default,
{
    api.get_opt(name).await.unwrap().is_some()
}

#[tokio::test]
async fn a_server_has_its_children_and_they_go_with_it() {
    let fleet = shop("children").await;
    let all = || async {
        [
            exists(fleet.api::<Deployment>(), "shop").await,
            exists(fleet.api::<Service>(), "shop").await,
            exists(fleet.api::<ConfigMap>(), "shop").await,
            exists(fleet.api::<ServiceAccount>(), "shop").await,
            exists(fleet.api::<PodDisruptionBudget>(), "shop").await,
            exists(fleet.api::<NetworkPolicy>(), "shop").await,
            !fleet.api::<Pod>().list(&ListParams::default()).await.unwrap().items.is_empty(),
        ]
    };
    assert_eq!(all().await, [true; 7]);
    let pod = fleet.api::<Pod>().list(&ListParams::default()).await.unwrap().items.remove(0);
    let mounts = pod.spec.as_ref().unwrap().containers[0].volume_mounts.clone().unwrap_or_default();
    assert!(!mounts.iter().any(|m| m.mount_path.contains("serviceaccount")), "no API token in the pod");

    fleet.kubectl(&["delete", "mcpserver", "shop"]).await.unwrap();
    eventually("every child is gone", || async {
        let left = all().await;
        if left == [false; 7] { Ok(()) } else { Err(left) }
    })
    .await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn what_someone_else_breaks_is_repaired_and_what_is_theirs_is_left() {
    let fleet = shop("drift").await;
    fleet
        .patch::<Service>("shop", json!({"metadata": {"annotations": {"example.com/mine": "yes"}}}))
        .await
        .unwrap();
    let port =
        json!({"spec": {"ports": [{"name": "mcp", "port": 80, "targetPort": 9999, "protocol": "TCP"}]}});
    fleet.patch::<Service>("shop", port).await.unwrap();
    fleet.kubectl(&["delete", "configmap", "shop"]).await.unwrap();
    eventually("port and ConfigMap are as planned again", || async {
        let service = fleet.api::<Service>().get("shop").await.unwrap();
        let target = service.spec.as_ref().unwrap().ports.as_ref().unwrap()[0].target_port.clone();
        let ours = serde_json::to_value(&target).unwrap() != json!(9999);
        if ours && exists(fleet.api::<ConfigMap>(), "shop").await { Ok(service) } else { Err(target) }
    })
    .await;
    let service = fleet.api::<Service>().get("shop").await.unwrap();
    assert_eq!(service.annotations()["example.com/mine"], "yes");
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn kubectl_scale_and_rollout_restart_are_not_fought() {
    let fleet = shop("scale").await;
    fleet.kubectl(&["scale", "mcpserver", "shop", "--replicas=3"]).await.unwrap();
    let ready = |wanted: i32| {
        let api = fleet.api::<McpServer>();
        eventually("scaled", move || {
            let api = api.clone();
            async move {
                let status = api.get("shop").await.unwrap().status.unwrap();
                if status.ready_replicas == wanted { Ok(()) } else { Err(status) }
            }
        })
    };
    ready(3).await;
    fleet.kubectl(&["rollout", "restart", "deployment/shop"]).await.unwrap();
    fleet.kubectl(&["rollout", "status", "deployment/shop", "--timeout=150s"]).await.unwrap();
    let deployment = fleet.api::<Deployment>().get("shop").await.unwrap();
    let template = deployment.spec.unwrap().template.metadata.unwrap();
    assert!(template.annotations.unwrap_or_default().contains_key("kubectl.kubernetes.io/restartedAt"));

    fleet.kubectl(&["scale", "mcpserver", "shop", "--replicas=0"]).await.unwrap();
    let idle = fleet.server_condition_for("shop", "Ready", "True", "Idle").await;
    assert!(!idle.message.is_empty());
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn an_object_of_someone_else_is_not_taken_over() {
    let fleet = Fleet::new("conflict").await.unwrap();
    let theirs = "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 5432}], selector: {app: db}}\n";
    fleet.apply(theirs).await.unwrap();
    fleet.apply(SHOP).await.unwrap();
    let condition = fleet.server_condition_for("shop", "Ready", "False", "NameConflict").await;
    assert!(condition.message.contains("Service"), "{}", condition.message);
    let service = fleet.api::<Service>().get("shop").await.unwrap();
    assert_eq!(service.spec.unwrap().ports.unwrap()[0].port, 5432);
    assert!(service.metadata.owner_references.is_none());
    fleet.delete().await.unwrap();
}
