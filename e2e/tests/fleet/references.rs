//! Upstreams that are other things of the cluster: servers of other namespaces, Services, `MCPServer`s, and whatever
//! carries the right label.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use mcpfleet_e2e::harness::{Era, Fleet, call_tool, eventually, list_tools};
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
---
apiVersion: v1
kind: Service
metadata: {name: plain}
spec:
  selector: {mcpfleet.dev/server: shop}
  ports: [{name: mcp, port: 8080, targetPort: mcp}, {name: other, port: 8081, targetPort: mcp}]
";

/// As much of kinds of others as the API server needs to keep objects of them. The singular is not theirs, so that
/// `kubectl get mcpserver` of tests beside this one keeps its meaning.
fn definition(group: &str, kind: &str, version: &str) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: {plural}.{group}\n  \
         annotations: {{api-approved.kubernetes.io: 'unapproved, for tests'}}\nspec:\n  group: {group}\n  \
         scope: Namespaced\n  names: {{kind: {kind}, plural: {plural}, singular: test{}}}\n  versions:\n  \
         - name: {version}\n    served: true\n    storage: true\n    subresources: {{status: {{}}}}\n    \
         schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n",
        kind.to_lowercase()
    )
}

/// Installs a definition of others unless it is there; a real one is left alone.
async fn define(fleet: &Fleet, group: &str, kind: &str, version: &str) {
    let name = format!("{}s.{group}", kind.to_lowercase());
    let definitions = Api::<CustomResourceDefinition>::all(fleet.client.clone());
    if definitions.get_opt(&name).await.unwrap().is_none() {
        fleet.apply(&definition(group, kind, version)).await.unwrap();
    }
    fleet.kubectl(&["wait", "--for=condition=Established", "crd", &name, "--timeout=60s"]).await.unwrap();
}

fn front(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {{name: {name}}}\nspec:\n  \
         auth: {{anonymous: {{}}}}\n  {spec}\n"
    )
}

async fn shop(test: &str) -> Fleet {
    let fleet = Fleet::new(test).await.unwrap();
    fleet.apply(SHOP).await.unwrap();
    fleet.server_condition("shop", "Ready", "True").await;
    fleet
}

async fn offers(fleet: &Fleet, server: &str, wanted: &[&str]) {
    let url = format!("{}/mcp", fleet.service_url(server).await.unwrap());
    eventually(&format!("{server} offers {wanted:?}"), || async {
        match list_tools(&url, Era::Modern).await {
            Ok(names) if names == wanted => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    for name in wanted {
        let answer = call_tool(&url, Era::Legacy, name, json!({})).await.unwrap();
        assert_eq!(answer, ("hello".to_owned(), false), "{name}");
    }
}

#[tokio::test]
async fn a_server_of_another_namespace_is_reached_while_it_is_granted() {
    let theirs = shop("granting").await;
    let ours = Fleet::new("granted").await.unwrap();
    define(&ours, "gateway.networking.k8s.io", "ReferenceGrant", "v1beta1").await;
    let reference =
        format!("upstreams: [{{name: shop, serverRef: {{name: shop, namespace: {}}}}}]", theirs.namespace);
    ours.apply(&front("front", &reference)).await.unwrap();
    let refused = ours.server_condition_for("front", "Ready", "False", "ReferenceNotGranted").await;
    assert!(refused.message.contains("kind: ReferenceGrant"), "{}", refused.message);

    let grant = format!(
        "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {{name: ours}}\nspec:\n  \
         from: [{{group: mcpfleet.dev, kind: McpServer, namespace: {}}}]\n  \
         to: [{{group: mcpfleet.dev, kind: McpServer, name: shop}}]\n",
        ours.namespace
    );
    theirs.apply(&grant).await.unwrap();
    ours.server_condition("front", "Ready", "True").await;
    offers(&ours, "front", &["hello"]).await;

    theirs.kubectl(&["delete", "referencegrants", "ours"]).await.unwrap();
    ours.server_condition_for("front", "Ready", "False", "ReferenceNotGranted").await;
    offers(&ours, "front", &[]).await;
    theirs.server_condition("shop", "Ready", "True").await;
    ours.delete().await.unwrap();
    theirs.delete().await.unwrap();
}

#[tokio::test]
async fn a_service_is_an_upstream_at_its_port() {
    let fleet = shop("service").await;
    let reference = |port: u16| {
        format!("upstreams: [{{name: plain, prefix: p_, serviceRef: {{name: plain, port: {port}}}}}]")
    };
    fleet.apply(&front("front", &reference(9999))).await.unwrap();
    let refused = fleet.server_condition_for("front", "Ready", "False", "PortNotFound").await;
    assert!(refused.message.contains("8080 (mcp)"), "{}", refused.message);
    fleet.apply(&front("front", &reference(8081))).await.unwrap();
    fleet.server_condition("front", "Ready", "True").await;
    offers(&fleet, "front", &["p_hello"]).await;
    fleet.kubectl(&["delete", "service", "plain"]).await.unwrap();
    fleet.server_condition_for("front", "Ready", "False", "ServiceNotFound").await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn labels_make_upstreams_and_unmake_them() {
    let fleet = shop("labels").await;
    let label = "{selector: {matchLabels: {mcp: 'yes'}}}";
    let spec = format!("upstreamSelector: {{servers: {label}, services: {label}}}");
    fleet.apply(&front("front", &spec)).await.unwrap();
    fleet.server_condition("front", "Available", "True").await;
    fleet.kubectl(&["label", "service", "plain", "mcp=yes"]).await.unwrap();
    offers(&fleet, "front", &["plain_hello"]).await;
    fleet.kubectl(&["label", "mcpserver", "shop", "mcp=yes"]).await.unwrap();
    offers(&fleet, "front", &["plain_hello", "shop_hello"]).await;
    fleet.server_condition("front", "Ready", "True").await;
    fleet.kubectl(&["label", "service", "plain", "mcp-"]).await.unwrap();
    offers(&fleet, "front", &["shop_hello"]).await;
    fleet.kubectl(&["annotate", "mcpserver", "shop", "mcpfleet.dev/prefix=s."]).await.unwrap();
    offers(&fleet, "front", &["s.hello"]).await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn an_mcp_server_of_the_lifecycle_operator_is_an_upstream_once_it_is_available() {
    let fleet = shop("lifecycle").await;
    define(&fleet, "mcp.x-k8s.io", "MCPServer", "v1beta1").await;
    let reference = "upstreams: [{name: wiki, prefix: w_, serverRef: {group: mcp.x-k8s.io, name: wiki}}]";
    fleet.apply(&front("front", reference)).await.unwrap();
    fleet.server_condition_for("front", "Ready", "False", "ServerNotFound").await;
    let wiki = "apiVersion: mcp.x-k8s.io/v1beta1\nkind: MCPServer\nmetadata: {name: wiki}\nspec: {}\n";
    fleet.apply(wiki).await.unwrap();
    // It is there, and what it lacks is no fault of the server that refers to it.
    fleet.server_condition("front", "Ready", "True").await;
    offers(&fleet, "front", &[]).await;
    let url = format!("http://plain.{}.svc.cluster.local:8080/mcp", fleet.namespace);
    let condition = json!({
        "type": "Available", "status": "True", "reason": "Test", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let status = json!({"status": {"address": {"url": url}, "conditions": [condition]}}).to_string();
    let patch =
        ["patch", "mcpservers.mcp.x-k8s.io", "wiki", "--subresource=status", "--type=merge", "-p", &status];
    fleet.kubectl(&patch).await.unwrap();
    offers(&fleet, "front", &["w_hello"]).await;
    fleet.delete().await.unwrap();
}
