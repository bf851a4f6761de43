//! `/registry`: to each his own.

use crate::{
    idp::Idp,
    manifests::{fixed, server, write},
    process::{Runtime, document, until},
    shop::{guarded, names, shop},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn listed(runtime: &Runtime, path: &str) -> Value {
    document(runtime.http.get(runtime.url(path)).send().await.unwrap()).await
}

fn servers(list: &Value) -> Vec<&str> {
    list["servers"].as_array().unwrap().iter().map(|it| it["server"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_server_is_listed_with_its_tools_in_the_shape_of_the_mcp_registry() {
    let dir = shop("");
    let runtime = Runtime::on(dir.path()).await;
    let list = listed(&runtime, "/registry").await;
    assert_eq!((servers(&list), &list["metadata"]), (vec!["agents/support"], &json!({"count": 1})));
    let entry = &list["servers"][0];
    assert_eq!(entry["server"]["remotes"], json!([{"type": "streamable-http", "url": runtime.url("/mcp")}]));
    assert!(entry["server"]["version"].is_string() && entry["server"]["description"].is_string(), "{entry}");
    let tools = names(&entry["tools"]);
    assert_eq!((tools.len(), tools.is_sorted(), tools[0].as_str()), (7, true, "create_refund"));
    assert_eq!(entry["tools"][0]["description"], "Gives a customer money back");
    assert_eq!(listed(&runtime, "/registry/v0.1/servers").await, list, "where its clients look");
    assert_eq!(listed(&runtime, "/agents/support/registry").await, list);

    write(dir.path(), "more.yaml", &fixed("wave", "bye"));
    until("the new tool", || async {
        (names(&listed(&runtime, "/registry").await["servers"][0]["tools"]).contains(&"wave".into()))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_caller_sees_what_he_may_use() {
    let idp = Idp::start().await;
    let dir = shop("");
    guarded(dir.path(), &format!("{{{}}}", idp.oauth()), "  publicURL: https://shop.example.com\n");
    let runtime = Runtime::on(dir.path()).await;
    let ask = || runtime.http.get(runtime.url("/registry"));
    let stranger = ask().send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    assert!(stranger.headers()["www-authenticate"].to_str().unwrap().contains("resource_metadata="));
    for (scope, count) in [("", 5), ("orders.read", 6), ("orders.read orders.write", 7)] {
        let answer = ask().bearer_auth(idp.token(json!({"scope": scope}))).send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "private, no-cache");
        let entry = document(answer).await["servers"][0].take();
        assert_eq!(entry["tools"].as_array().unwrap().len(), count, "{scope}");
        assert_eq!(entry["server"]["remotes"][0]["url"], "https://shop.example.com/mcp");
    }
}

#[tokio::test]
async fn servers_of_one_process_are_listed_to_whom_they_let_in() {
    let idp = Idp::start().await;
    let dir = shop("");
    guarded(dir.path(), &format!("{{{}}}", idp.oauth()), "  publicURL: https://shop.example.com\n");
    write(dir.path(), "open.yaml", &server("open", ""));
    let locked =
        server("locked", "").replace("auth: {anonymous: {}}", "auth: {keys: {secretRef: {name: none}}}");
    write(dir.path(), "locked.yaml", &locked);
    let front = "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {name: front, namespace: agents}\n\
                 spec: {auth: {anonymous: {}}, upstreams: [{name: inner, prefix: in_, serverRef: {name: open}}]}\n";
    write(dir.path(), "front.yaml", front);
    let runtime = Runtime::on(dir.path()).await;
    let everybody = listed(&runtime, "/registry").await;
    assert_eq!(servers(&everybody), ["agents/front", "agents/open"]);
    assert_eq!(everybody["servers"][1]["server"]["remotes"][0]["url"], runtime.url("/agents/open/mcp"));
    let token = idp.token(json!({}));
    let own = runtime.http.get(runtime.url("/agents/support/registry")).bearer_auth(&token);
    let own = document(own.send().await.unwrap()).await;
    assert_eq!(servers(&own), ["agents/front", "agents/open", "agents/support"]);
    let locked =
        runtime.http.get(runtime.url("/agents/locked/registry")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(locked.status(), 401);
    let part = until("the upstream", || async {
        let part =
            listed(&runtime, "/registry").await["servers"][0]["_meta"]["dev.mcpfleet/registry"]["upstreams"]
                [0]
            .take();
        (part["tools"] == 5).then_some(part)
    })
    .await;
    assert_eq!((&part["name"], &part["state"]), (&json!("inner"), &json!("Connected")));
}

#[tokio::test]
async fn pages_follow_each_other_and_what_did_not_change_is_not_sent_again() {
    let dir = shop("");
    for name in ["a", "b"] {
        write(dir.path(), &format!("{name}.yaml"), &server(name, ""));
    }
    let runtime = Runtime::on(dir.path()).await;
    let first = listed(&runtime, "/registry?limit=2").await;
    assert_eq!(servers(&first), ["agents/a", "agents/b"]);
    let cursor = first["metadata"]["nextCursor"].as_str().unwrap();
    let second = listed(&runtime, &format!("/registry?limit=2&cursor={cursor}")).await;
    assert_eq!((servers(&second), &second["metadata"]), (vec!["agents/support"], &json!({"count": 1})));
    assert_eq!(servers(&listed(&runtime, "/registry?search=SUPP").await), ["agents/support"]);

    let ask = || runtime.http.get(runtime.url("/agents/a/registry"));
    let answer = ask().send().await.unwrap();
    let tag = answer.headers()["etag"].clone();
    let same = ask().header("if-none-match", &tag).send().await.unwrap();
    assert_eq!((same.status(), &same.headers()["etag"]), (StatusCode::NOT_MODIFIED, &tag));
    assert_eq!(same.text().await.unwrap(), "");
    assert_eq!(ask().header("if-none-match", "\"other\"").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn bad_requests_are_refused_with_what_is_wrong() {
    let dir = shop("");
    let runtime = Runtime::on(dir.path()).await;
    for query in ["limit=0", "limit=x", "cursor=x", "updated_since=2026-01-01T00:00:00Z", "version=1.0.0"] {
        let refused = runtime.http.get(runtime.url(&format!("/registry?{query}"))).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{query}");
        let name = query.split('=').next().unwrap();
        assert!(document(refused).await["error"].as_str().unwrap().contains(name), "{query}");
    }
    let wrong = runtime.http.request(Method::POST, runtime.url("/registry")).send().await.unwrap();
    assert_eq!((wrong.status().as_u16(), wrong.headers()["allow"].to_str().unwrap()), (405, "GET, HEAD"));
    let foreign = runtime.http.get(runtime.url("/registry")).header("origin", "https://evil.example.com");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    assert_eq!(runtime.http.get(runtime.url("/no/such/registry")).send().await.unwrap().status(), 404);
}
