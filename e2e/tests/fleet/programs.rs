//! Upstreams that are programs: each in a workload of its own, behind a bridge, and each its own affair.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Pod, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
};
use kube::{Api, Resource, api::ListParams, core::NamespaceResourceScope};
use mcpfleet_crds::v1alpha1::{McpServer, UpstreamState, UpstreamStatus};
use mcpfleet_e2e::harness::{Era, Fleet, call_tool, eventually, list_tools};
use serde_json::json;

/// Image of `e2e/everything`.
fn image() -> String {
    std::env::var("MCPFLEET_EVERYTHING_IMAGE").expect("set by make test-e2e")
}

/// `shop` with these upstreams, in flow YAML, and its endpoint.
async fn shop(test: &str, upstreams: &str) -> (Fleet, String) {
    let fleet = Fleet::new(test).await.unwrap();
    let server = format!(
        "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {{name: shop}}\n\
         spec: {{auth: {{anonymous: {{}}}}, upstreams: [{upstreams}]}}\n"
    );
    fleet.apply(&server).await.unwrap();
    let url = eventually("the Service has an address", || fleet.service_url("shop")).await;
    (fleet, format!("{url}/mcp"))
}

fn everything(name: &str) -> String {
    let image = image();
    format!("{{name: {name}, prefix: {name}_, stdio: {{image: '{image}', command: [/everything, --stdio]}}}}")
}

async fn upstream(fleet: &Fleet, name: &str) -> Option<UpstreamStatus> {
    let status = fleet.api::<McpServer>().get("shop").await.unwrap().status.unwrap_or_default();
    status.upstreams.into_iter().find(|upstream| upstream.name == name)
}

/// Waits until an upstream is in this state, with these words in its message.
async fn becomes(fleet: &Fleet, name: &str, state: UpstreamState, words: &str) -> UpstreamStatus {
    eventually(&format!("upstream {name} is {state:?}, {words:?}"), || async {
        match upstream(fleet, name).await {
            Some(found)
                if found.state == state && found.message.as_deref().unwrap_or_default().contains(words) =>
            {
                Ok(found)
            }
            other => Err(other),
        }
    })
    .await
}

/// Waits until a tool answers.
async fn greets(url: &str, tool: &str) {
    eventually(&format!("{tool} answers"), || async {
        match call_tool(url, Era::Modern, tool, json!({"name": "Ada"})).await {
            Ok((text, false)) if text == "Hello, Ada!" => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

async fn exists<K>(fleet: &Fleet, name: &str) -> bool
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    K::DynamicType: Default,
{
    let api: Api<K> = fleet.api();
    api.get_opt(name).await.unwrap().is_some()
}

async fn objects(fleet: &Fleet, name: &str) -> [bool; 4] {
    [
        exists::<ServiceAccount>(fleet, name).await,
        exists::<Service>(fleet, name).await,
        exists::<NetworkPolicy>(fleet, name).await,
        exists::<Deployment>(fleet, name).await,
    ]
}

async fn pods(fleet: &Fleet, name: &str) -> Vec<Pod> {
    let selector = format!("app.kubernetes.io/name=mcp-bridge,app.kubernetes.io/instance={name}");
    fleet.api::<Pod>().list(&ListParams::default().labels(&selector)).await.unwrap().items
}

#[tokio::test]
async fn the_tools_of_a_program_are_called_through_the_server() {
    let (fleet, url) = shop("program", &everything("files")).await;
    fleet.server_condition_for("shop", "UpstreamsConnected", "True", "Connected").await;
    fleet.server_condition("shop", "Ready", "True").await;
    greets(&url, "files_greet").await;
    assert_eq!(
        call_tool(&url, Era::Legacy, "files_greet", json!({"name": "Ada"})).await.unwrap(),
        ("Hello, Ada!".to_owned(), false)
    );
    let status = upstream(&fleet, "files").await.unwrap();
    let listed = list_tools(&url, Era::Modern).await.unwrap();
    assert_eq!(usize::try_from(status.tools).unwrap(), listed.len());
    assert!(status.revision.is_some() && status.transport.is_some(), "{status:?}");

    let pod = pods(&fleet, "shop-files").await.remove(0);
    let spec = pod.spec.unwrap();
    let mounts = spec.containers[0].volume_mounts.clone().unwrap_or_default();
    assert!(
        !mounts.iter().any(|mount| mount.mount_path.contains("serviceaccount")),
        "no API token in the pod"
    );

    // None for nobody, and back with the server.
    fleet.kubectl(&["scale", "mcpserver", "shop", "--replicas=0"]).await.unwrap();
    eventually("the program is gone", || async {
        let left = pods(&fleet, "shop-files").await.len();
        if left == 0 { Ok(()) } else { Err(left) }
    })
    .await;
    fleet.kubectl(&["scale", "mcpserver", "shop", "--replicas=1"]).await.unwrap();
    greets(&url, "files_greet").await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_costs_its_own_tools_alone() {
    let bad = "{name: bad, stdio: {image: 'localhost/no-such-image:1', command: [a]}}";
    let (fleet, url) = shop("badprogram", &format!("{}, {bad}", everything("good"))).await;
    greets(&url, "good_greet").await;
    becomes(&fleet, "good", UpstreamState::Connected, "").await;
    let told = becomes(&fleet, "bad", UpstreamState::Unreachable, "no-such-image").await;
    assert!(told.message.unwrap().contains("spec.upstreams[bad].stdio.image"));
    let condition =
        fleet.server_condition_for("shop", "UpstreamsConnected", "False", "ImagePullFailed").await;
    assert!(condition.message.contains("upstream bad:"), "{}", condition.message);
    for kind in ["Ready", "Available"] {
        fleet.server_condition("shop", kind, "True").await;
    }
    greets(&url, "good_greet").await;

    // The one that is mended comes up; nothing else was in its way.
    let image = image();
    let mended = json!({"spec": {"upstreams": [
        {"name": "bad", "prefix": "bad_", "stdio": {"image": image, "command": ["/everything", "--stdio"]}},
    ]}});
    fleet.patch::<McpServer>("shop", mended).await.unwrap();
    greets(&url, "bad_greet").await;
    fleet.server_condition_for("shop", "UpstreamsConnected", "True", "Connected").await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn a_program_waits_for_its_secret_and_goes_with_its_declaration() {
    let image = image();
    let needy = format!(
        "{{name: needy, prefix: needy_, stdio: {{image: '{image}', command: [/everything, --stdio], \
         env: [{{name: TOKEN, valueFrom: {{secretKeyRef: {{name: gone, key: token}}}}}}]}}}}"
    );
    let (fleet, url) = shop("programsecret", &format!("{}, {needy}", everything("good"))).await;
    becomes(&fleet, "needy", UpstreamState::Unreachable, "gone").await;
    fleet.server_condition("shop", "Ready", "True").await;
    greets(&url, "good_greet").await;
    fleet.kubectl(&["create", "secret", "generic", "gone", "--from-literal=token=x"]).await.unwrap();
    greets(&url, "needy_greet").await;
    becomes(&fleet, "needy", UpstreamState::Connected, "").await;

    assert_eq!(objects(&fleet, "shop-needy").await, [true; 4]);
    let only_good = json!({"spec": {"upstreams": [
        {"name": "good", "prefix": "good_", "stdio": {"image": image, "command": ["/everything", "--stdio"]}},
    ]}});
    fleet.patch::<McpServer>("shop", only_good).await.unwrap();
    eventually("every object of it is gone", || async {
        let left = objects(&fleet, "shop-needy").await;
        if left == [false; 4] { Ok(()) } else { Err(left) }
    })
    .await;
    assert_eq!(objects(&fleet, "shop-good").await, [true; 4]);
    greets(&url, "good_greet").await;
    eventually("it is no longer told of", || async { upstream(&fleet, "needy").await.map_or(Ok(()), Err) })
        .await;
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn an_object_of_someone_else_costs_one_program_and_is_not_taken_over() {
    let fleet = Fleet::new("programname").await.unwrap();
    let theirs = "apiVersion: v1\nkind: Service\nmetadata: {name: shop-files}\nspec: {ports: [{port: 5432}], selector: {app: db}}\n";
    fleet.apply(theirs).await.unwrap();
    let server = format!(
        "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {{name: shop}}\n\
         spec: {{auth: {{anonymous: {{}}}}, upstreams: [{}, {}]}}\n",
        everything("files"),
        everything("good")
    );
    fleet.apply(&server).await.unwrap();
    becomes(&fleet, "files", UpstreamState::Refused, "Service shop-files").await;
    becomes(&fleet, "good", UpstreamState::Connected, "").await;
    fleet.server_condition("shop", "Ready", "True").await;
    fleet.server_condition_for("shop", "UpstreamsConnected", "False", "NameConflict").await;
    let service = fleet.api::<Service>().get("shop-files").await.unwrap();
    assert_eq!(service.spec.unwrap().ports.unwrap()[0].port, 5432);
    fleet.kubectl(&["delete", "service", "shop-files"]).await.unwrap();
    becomes(&fleet, "files", UpstreamState::Connected, "").await;
    fleet.delete().await.unwrap();
}
