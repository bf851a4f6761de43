mod references;

use super::{Key, Objects, Touched};
use crate::fixtures::{server, tool};
use mcpfleet_crds::v1alpha1::{McpServer, McpTool};
use serde_json::json;

fn key(name: &str) -> Key {
    Key::new("agents", name)
}

fn named(name: &str, spec: serde_json::Value) -> McpServer {
    let mut object = server(spec);
    object.metadata.name = Some(name.into());
    object.metadata.uid = Some(name.into());
    object
}

fn servers(touched: &Touched) -> Vec<&str> {
    touched.servers.iter().map(|key| key.name.as_str()).collect()
}

fn two_servers() -> Objects {
    let objects = Objects::default();
    objects.put(named("support", json!({})));
    objects.put(named("sales", json!({"tools": {"selector": {"matchLabels": {"fleet": "sales"}}}})));
    objects
}

#[test]
fn a_tool_concerns_the_servers_that_select_it_before_or_after() {
    let objects = two_servers();
    let mut hello = tool("hello", json!({}));
    assert_eq!(servers(&objects.put(hello.clone())), ["support"]);
    hello.metadata.labels = Some([("fleet".to_owned(), "sales".to_owned())].into());
    assert_eq!(servers(&objects.put(hello)), ["sales", "support"]);
    assert_eq!(servers(&objects.remove::<McpTool>(&key("hello"))), ["sales"]);
}

#[test]
fn a_server_concerns_those_that_list_their_neighbours() {
    let objects = two_servers();
    objects.put(named("front", json!({"registry": {"selector": {}}})));
    assert_eq!(servers(&objects.put(named("crm", json!({})))), ["crm", "front"]);
    let listed = |objects: &Objects| {
        let (compilation, _) = objects.compile(&key("front")).unwrap();
        compilation.product.as_ref().unwrap().encoded.json.contains("http://crm.agents.svc/mcp")
    };
    assert!(listed(&objects));
    assert_eq!(servers(&objects.remove::<McpServer>(&key("crm"))), ["crm", "front"]);
    assert!(!listed(&objects));
}

#[test]
fn a_status_update_concerns_nobody_else() {
    let objects = two_servers();
    let mut hello = tool("hello", json!({}));
    objects.put(hello.clone());
    hello.metadata.resource_version = Some("7".into());
    let touched = objects.put(hello);
    assert!(touched.servers.is_empty() && touched.tools.contains(&key("hello")), "{touched:?}");
}

#[test]
fn an_older_state_never_replaces_a_newer_one() {
    let objects = two_servers();
    let at = |version: &str, text: &str| {
        let mut object = tool("hello", json!({"description": text}));
        object.metadata.resource_version = Some(version.into());
        object
    };
    objects.put(at("9", "new"));
    objects.put(at("10", "newer"));
    objects.put(at("9", "new"));
    assert_eq!(objects.get::<McpTool>(&key("hello")).unwrap().spec.description, "newer");
}

#[test]
fn a_compile_is_shared_until_an_input_changes() {
    let objects = two_servers();
    objects.put(tool("hello", json!({})));
    let (first, touched) = objects.compile(&key("support")).unwrap();
    assert_eq!(touched.tools.len(), 1, "the members are told of a new compile");
    let (again, touched) = objects.compile(&key("support")).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &again) && touched == Touched::default());
    objects.put(tool("other", json!({})));
    let (next, touched) = objects.compile(&key("support")).unwrap();
    assert!(!std::sync::Arc::ptr_eq(&first, &next));
    assert_eq!(touched.tools.len(), 2);
    assert_eq!(next.product.as_ref().unwrap().tools, 2);
}

#[test]
fn the_loser_of_a_name_is_told_when_the_winner_goes() {
    let objects = two_servers();
    objects.put(tool("first", json!({"name": "same"})));
    objects.put(tool("second", json!({"name": "same"})));
    let (before, _) = objects.compile(&key("support")).unwrap();
    assert_eq!(before.product.as_ref().unwrap().tools, 1);
    objects.remove::<McpTool>(&key("first"));
    let (_, touched) = objects.compile(&key("support")).unwrap();
    assert!(touched.tools.contains(&key("second")));
}

#[test]
fn servers_are_told_of_those_that_they_refer_to_through_others_too() {
    let refers = |to: &str| json!({"upstreams": [{"name": "up", "serverRef": {"name": to}}]});
    let objects = Objects::default();
    objects.put(named("a", refers("b")));
    objects.put(named("b", refers("c")));
    objects.put(named("d", json!({})));
    assert_eq!(servers(&objects.put(named("c", json!({})))), ["a", "b", "c"]);
    assert_eq!(servers(&objects.remove::<McpServer>(&key("c"))), ["a", "b", "c"]);
}

#[test]
fn a_new_list_forgets_what_is_not_in_it() {
    let objects = two_servers();
    objects.put(tool("hello", json!({})));
    let elsewhere = objects.retain::<McpTool>(Some("other"), &[].into());
    assert_eq!(elsewhere, Touched::default());
    assert_eq!(servers(&objects.retain::<McpTool>(None, &[].into())), ["support"]);
    assert_eq!(objects.count::<McpTool>(), 0);
}

#[test]
fn what_cannot_be_read_is_kept_out_and_reported() {
    let objects = two_servers();
    objects.put(tool("hello", json!({})));
    let invalid = kube::core::error_boundary::InvalidObject {
        error: "unknown field".into(),
        metadata: tool("hello", json!({})).metadata,
    };
    let touched = objects.put_malformed::<McpTool>(invalid);
    assert_eq!(servers(&touched), ["support"]);
    let kind = mcpfleet_crds::compile::Kind::McpTool;
    assert_eq!(objects.malformed(kind, &key("hello")).unwrap().error, "unknown field");
    assert_eq!(objects.get::<McpTool>(&key("hello")), None);
    objects.put(tool("hello", json!({})));
    assert_eq!(objects.malformed(kind, &key("hello")), None);
}
