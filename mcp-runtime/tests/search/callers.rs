//! Nobody finds what he may not see, nor calls it.

use crate::{
    idp::Idp,
    process::{Runtime, document},
    shop::{call, guarded, names, result, shop, short},
};
use serde_json::json;

fn scoped(more: &str) -> String {
    short(more) + "  publicURL: https://shop.example.com\n"
}

#[tokio::test]
async fn a_search_finds_what_its_caller_may_use() {
    let idp = Idp::start().await;
    let dir = shop("");
    guarded(dir.path(), &format!("{{{}}}", idp.oauth()), &scoped(""));
    let runtime = Runtime::on(dir.path()).await;
    for (scope, found) in [
        ("", vec!["create_refund"]),
        ("orders.read", vec!["list_orders", "create_refund"]),
        ("orders.read orders.write", vec!["list_orders", "delete_order", "create_refund"]),
    ] {
        let wanted = call(&runtime, "search_tools", json!({"query": "orders of a customer"}));
        let wanted = result(wanted.bearer_auth(idp.token(json!({"scope": scope})))).await;
        assert_eq!(names(&wanted["structuredContent"]["tools"]), found, "{scope}: {wanted}");
    }
}

#[tokio::test]
async fn a_call_through_call_tool_is_judged_as_the_call_itself() {
    let idp = Idp::start().await;
    let dir = shop("");
    guarded(dir.path(), &format!("{{{}}}", idp.oauth()), &scoped(""));
    let runtime = Runtime::on(dir.path()).await;
    let through = || call(&runtime, "call_tool", json!({"name": "delete_order"}));
    let refused = through().bearer_auth(idp.token(json!({}))).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.contains("scope=\"orders.write\""), "{challenge}");
    let done = result(through().bearer_auth(idp.token(json!({"scope": "orders.write"})))).await;
    assert_eq!(done["content"][0]["text"], "done");
    assert_eq!(through().send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_list_is_short_for_those_only_who_would_see_a_long_one() {
    let idp = Idp::start().await;
    let dir = shop("");
    let search = "  toolSearch: {above: 5}\n  publicURL: https://shop.example.com\n";
    guarded(dir.path(), &format!("{{{}}}", idp.oauth()), search);
    let runtime = Runtime::on(dir.path()).await;
    for (scope, listed) in [("", 5), ("orders.read", 3)] {
        let list = runtime.modern("/mcp", "tools/list", &json!({}));
        let list = document(list.bearer_auth(idp.token(json!({"scope": scope}))).send().await.unwrap()).await;
        assert_eq!(list["result"]["tools"].as_array().unwrap().len(), listed, "{scope}: {list}");
    }
}
