//! Several servers in one process, and files that hold more than ours.

use crate::{
    manifests::{fixed, fleet, server, write},
    process::{Runtime, document, until},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn several_servers_live_at_their_own_paths() {
    let dir = fleet(&[fixed("greet", "hello")]);
    write(dir.path(), "other.yaml", &server("sales", ""));
    let runtime = Runtime::on(dir.path()).await;
    for path in ["/agents/support/mcp", "/agents/sales/mcp"] {
        let answer = document(runtime.modern(path, "tools/list", &json!({})).send().await.unwrap()).await;
        assert_eq!(answer["result"]["tools"][0]["name"], "greet", "{path}");
    }
    let short = runtime.legacy("/mcp", "tools/list", &json!({})).send().await.unwrap();
    assert_eq!(short.status(), StatusCode::NOT_FOUND);
    let there = document(short).await["endpoints"].clone();
    assert_eq!(there, json!(["/agents/sales/mcp", "/agents/support/mcp"]));
    let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
    assert_eq!(status.as_object().unwrap().len(), 2);

    std::fs::remove_file(dir.path().join("other.yaml")).unwrap();
    until("the short path", || async { (runtime.tools().await == ["greet"]).then_some(()) }).await;
    assert!(!runtime.admin("/metrics").await.contains("mcpfleet_config_info{server=\"agents/sales\""));
}

#[tokio::test]
async fn foreign_kinds_are_passed_over_and_broken_documents_reported() {
    let dir = fleet(&[fixed("greet", "hello")]);
    std::fs::create_dir(dir.path().join("deep")).unwrap();
    let text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x}}\nspec: {{replicas: 1}}\n---\n{}---\n{}",
        fixed("wave", "bye"),
        fixed("odd", "x").replace("description", "descriptoin"),
    );
    write(&dir.path().join("deep"), "mixed.yaml", &text);
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(runtime.tools().await, ["greet", "wave"]);
    let told = runtime.logs().into_iter().find(|line| line.contains("descriptoin")).unwrap();
    assert!(told.contains("mixed.yaml:") && told.contains("agents/odd"), "{told}");
}

#[tokio::test]
async fn a_server_is_an_upstream_of_another_in_the_same_process() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let front = "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {name: front, namespace: agents}\n\
                 spec: {auth: {anonymous: {}}, upstreams: [{name: inner, prefix: in_, serverRef: {name: support}}]}\n";
    write(dir.path(), "front.yaml", front);
    let runtime = Runtime::on(dir.path()).await;
    let path = "/agents/front/mcp";
    until("the upstream's tool", || async {
        let answer = document(runtime.legacy(path, "tools/list", &json!({})).send().await.unwrap()).await;
        (answer["result"]["tools"][0]["name"] == "in_greet").then_some(())
    })
    .await;
    for request in [
        runtime.legacy(path, "tools/call", &json!({"name": "in_greet"})),
        runtime.modern(path, "tools/call", &json!({"name": "in_greet"})),
    ] {
        let answer = document(request.send().await.unwrap()).await;
        assert_eq!(answer["result"]["content"][0]["text"], "hello", "{answer}");
    }
    let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
    assert_eq!(status["agents/front"]["upstreams"][0]["state"], "Connected");
    let metrics = runtime.admin("/metrics").await;
    assert!(
        metrics.contains("mcpfleet_upstream_connected{server=\"agents/front\",upstream=\"inner\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn servers_of_other_namespaces_are_upstreams_where_they_grant_it_and_labels_find_those_of_ours() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let front = "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {name: front, namespace: sales}\n\
                 spec:\n  auth: {anonymous: {}}\n  \
                 upstreams: [{name: inner, prefix: in_, serverRef: {name: support, namespace: agents}}]\n  \
                 upstreamSelector: {servers: {selector: {matchLabels: {mcp: 'yes'}}}}\n";
    write(dir.path(), "front.yaml", front);
    let labelled = server("desk", "").replace("agents}", "sales, labels: {mcp: 'yes'}}");
    write(
        dir.path(),
        "desk.yaml",
        &format!("{labelled}---\n{}", fixed("wave", "bye").replace("agents", "sales")),
    );
    let runtime = Runtime::on(dir.path()).await;
    let tools = |wanted: &'static [&str]| {
        let runtime = &runtime;
        until("the upstreams' tools", move || async move {
            let list = runtime.legacy("/sales/front/mcp", "tools/list", &json!({}));
            let answer = document(list.send().await.unwrap()).await;
            let tools = answer["result"]["tools"].as_array()?;
            (tools.iter().map(|tool| &tool["name"]).eq(wanted)).then_some(())
        })
    };
    tools(&["desk_wave"]).await;
    let told = runtime.logs().into_iter().find(|line| line.contains("ReferenceNotGranted")).unwrap();
    assert!(told.contains("spec.upstreams[inner].serverRef.namespace"), "{told}");
    let grant = "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\n\
                 metadata: {name: sales, namespace: agents}\nspec:\n  \
                 from: [{group: mcpfleet.dev, kind: McpServer, namespace: sales}]\n  \
                 to: [{group: mcpfleet.dev, kind: McpServer, name: support}]\n";
    write(dir.path(), "grant.yaml", grant);
    tools(&["desk_wave", "in_greet"]).await;
    std::fs::remove_file(dir.path().join("grant.yaml")).unwrap();
    tools(&["desk_wave"]).await;
}

#[tokio::test]
async fn a_secret_that_comes_later_is_no_longer_missing() {
    let with_auth =
        "backend: {http: {url: 'http://svc/', auth: {bearer: {secretRef: {name: orders, key: token}}}}}";
    let dir = fleet(&[fixed("orders", "x").replace("backend: {static: {text: x}}", with_auth)]);
    let runtime = Runtime::on(dir.path()).await;
    let missing = || async {
        let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
        status["agents/support"]["missingCredentials"].clone()
    };
    assert_eq!(
        missing().await,
        json!([{"secret": "orders", "key": "token", "usedBy": [{"tool": "orders"}]}])
    );
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: orders, namespace: agents}\nstringData: {token: t}\n";
    write(dir.path(), "secret.yaml", secret);
    until("the secret", || async { (missing().await == json!([])).then_some(()) }).await;
}

#[tokio::test]
async fn models_are_listed_where_a_server_serves_them() {
    let dir = fleet(&[fixed("greet", "hello")]);
    write(dir.path(), "server.yaml", &server("support", "  models: {selector: {}}\n"));
    let route = "apiVersion: mcpfleet.dev/v1alpha1\nkind: ProviderRoute\nmetadata: {name: default, namespace: agents}\n\
                 spec: {providers: [{name: p, api: OpenAI, baseUrl: 'http://127.0.0.1:9/v1', models: [{name: small}]}]}\n";
    write(dir.path(), "route.yaml", route);
    let runtime = Runtime::on(dir.path()).await;
    let listed = document(runtime.http.get(runtime.url("/v1/models")).send().await.unwrap()).await;
    assert_eq!(listed["data"][0]["id"], "small", "{listed}");
    let wrong = runtime.http.get(runtime.url("/v1/chat/completions")).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
    let chat = runtime.http.post(runtime.url("/v1/chat/completions"));
    let chat = chat.json(&json!({"model": "small", "messages": []})).send().await.unwrap();
    assert!(chat.status().is_server_error(), "nobody listens there");
    assert!(
        runtime.admin("/metrics").await.contains("tool=\"/v1/chat/completions\",outcome=\"upstream\"} 1")
    );
}

#[tokio::test]
async fn an_empty_directory_is_alive_and_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::start(&["-f", &dir.path().display().to_string()]).await;
    assert_eq!(runtime.admin("/livez").await, "ok\n");
    until("the first look", || async { (runtime.admin("/startupz").await == "ok\n").then_some(()) }).await;
    assert_eq!(runtime.readyz().await.0, StatusCode::SERVICE_UNAVAILABLE);
    write(dir.path(), "a.yaml", &server("support", ""));
    write(dir.path(), "b.yaml", &fixed("greet", "hello"));
    runtime.until_ready().await;
    assert_eq!(runtime.tools().await, ["greet"]);
}

#[tokio::test]
async fn the_admin_port_is_read_only() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let runtime = Runtime::on(dir.path()).await;
    let url = format!("http://{}/status", runtime.admin);
    assert_eq!(runtime.http.post(url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(runtime.admin("/nope").await.contains("/readyz"));
    let health: Value = serde_json::from_str(&runtime.admin("/healthz").await).unwrap();
    assert_eq!(health["servers"]["agents/support"]["tools"], 1);
}
