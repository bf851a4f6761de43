//! Scopes: who lacks some is told all of them, and sees only what it may use.

use crate::{
    answer, call, guarded, header,
    idp::Idp,
    list,
    manifests::{fixed, fleet},
    names,
    process::Runtime,
};
use serde_json::json;
use tempfile::TempDir;

fn shop(auth: &str) -> TempDir {
    let scoped = |name: &str, scopes: &str| fixed(name, "done") + &format!("  scopes: [{scopes}]\n");
    let tools = [
        fixed("greet", "done"),
        scoped("look", "orders.read"),
        scoped("change", "orders.read, orders.write"),
    ];
    let dir = fleet(&tools);
    guarded(dir.path(), auth, "  publicURL: https://shop.example.com\n");
    dir
}

#[tokio::test]
async fn a_list_has_what_the_caller_may_use_in_both_eras() {
    let idp = Idp::start().await;
    let dir = shop(&format!("{{{}}}", idp.oauth()));
    let runtime = Runtime::on(dir.path()).await;
    for (scope, tools) in [
        ("", vec!["greet"]),
        ("orders.read", vec!["greet", "look"]),
        ("orders.write", vec!["greet"]),
        ("orders.write orders.read", vec!["change", "greet", "look"]),
    ] {
        let token = idp.token(json!({"scope": scope}));
        assert_eq!(names(list(&runtime).bearer_auth(&token)).await, tools, "{scope}");
        let legacy = runtime.legacy("/mcp", "tools/list", &json!({})).bearer_auth(&token);
        assert_eq!(names(legacy).await, tools, "{scope}");
    }
    let listed = answer(list(&runtime).bearer_auth(idp.token(json!({})))).await;
    assert_eq!(listed["result"]["cacheScope"], "private", "{listed}");
}

#[tokio::test]
async fn a_call_without_the_scopes_is_told_all_that_are_needed() {
    let idp = Idp::start().await;
    let dir = shop(&format!("{{{}}}", idp.oauth()));
    let runtime = Runtime::on(dir.path()).await;
    let token = idp.token(json!({"scope": "orders.read"}));
    for request in
        [call(&runtime, "change"), runtime.legacy("/mcp", "tools/call", &json!({"name": "change"}))]
    {
        let refused = request.bearer_auth(&token).send().await.unwrap();
        assert_eq!(refused.status(), 403);
        let challenge = header(&refused, "www-authenticate");
        assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains("scope=\"orders.read orders.write\""), "{challenge}");
        assert!(challenge.contains("resource_metadata=\"https://shop.example.com/"), "{challenge}");
    }
    let done = answer(call(&runtime, "look").bearer_auth(&token)).await;
    assert_eq!(done["result"]["content"][0]["text"], "done", "{done}");
    assert!(runtime.admin("/metrics").await.contains("outcome=\"not_allowed\"} 2"));
}

#[tokio::test]
async fn strangers_are_served_what_needs_no_scope_and_else_asked_to_log_in() {
    let idp = Idp::start().await;
    let dir = shop(&format!("{{anonymous: {{}}, {}}}", idp.oauth()));
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(names(list(&runtime)).await, ["greet"]);
    let refused = call(&runtime, "look").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(header(&refused, "www-authenticate").contains("scope=\"orders.read\""));
    // Who shows a credential is judged by it.
    assert_eq!(crate::status(list(&runtime).bearer_auth("nonsense")).await, 401);
}
