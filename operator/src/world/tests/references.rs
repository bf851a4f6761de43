//! Whom a change concerns of something that servers refer to.

use super::{named, servers};
use crate::world::{Key, Objects, Presence, Touched};
use kube::core::DynamicObject;
use mcpfleet_crds::{
    compile::Reason,
    foreign::{LifecycleServer, Optional, ReferenceGrant, Service},
    v1alpha1::McpServer,
};
use serde_json::{Value, json};

fn in_namespace(namespace: &str, name: &str, spec: Value) -> McpServer {
    let mut object = named(name, spec);
    object.metadata.namespace = Some(namespace.into());
    object.metadata.uid = Some(format!("{namespace}/{name}"));
    object
}

fn grant(namespace: &str, from: &str, to: &Value) -> ReferenceGrant {
    let object = json!({
        "apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "ReferenceGrant",
        "metadata": {"name": "grant", "namespace": namespace},
        "spec": {"from": [{"group": "mcpfleet.dev", "kind": "McpServer", "namespace": from}], "to": [to]},
    });
    ReferenceGrant::read(&serde_json::from_value(object).unwrap())
}

fn service(name: &str, port: u16, labels: &Value) -> Service {
    let object = json!({
        "metadata": {"name": name, "namespace": "agents", "labels": labels},
        "spec": {"ports": [{"port": port}]},
    });
    Service::read(&serde_json::from_value(object).unwrap())
}

fn lifecycle(status: &Value) -> LifecycleServer {
    let object: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "mcp.x-k8s.io/v1beta1", "kind": "MCPServer",
        "metadata": {"name": "wiki", "namespace": "agents"}, "status": status,
    }))
    .unwrap();
    LifecycleServer::read(&object)
}

/// `agents/a` refers to `sales/crm`, `agents/b` to `a`, `agents/c` to nobody.
fn across() -> Objects {
    let refers = |reference: Value| json!({"upstreams": [{"name": "up", "serverRef": reference}]});
    let objects = Objects::default();
    objects.put(in_namespace("agents", "a", refers(json!({"name": "crm", "namespace": "sales"}))));
    objects.put(in_namespace("agents", "b", refers(json!({"name": "a"}))));
    objects.put(in_namespace("agents", "c", json!({})));
    objects.put(in_namespace("sales", "crm", json!({})));
    objects
}

fn reasons(objects: &Objects, name: &str) -> Vec<Reason> {
    let (compilation, _) = objects.compile(&Key::new("agents", name)).unwrap();
    let findings = compilation.report.findings.iter();
    // The fixture's selector finds no tool; that is not what is asked here.
    findings.map(|finding| finding.reason).filter(|reason| *reason != Reason::NothingSelected).collect()
}

#[test]
fn a_grant_concerns_those_whom_it_lets_in_and_those_that_lead_to_them() {
    let objects = across();
    assert_eq!(reasons(&objects, "a"), [Reason::ReferenceNotGranted]);
    let everything = json!({"group": "mcpfleet.dev", "kind": "McpServer"});
    assert_eq!(servers(&objects.put_foreign(grant("sales", "agents", &everything))), ["a", "b"]);
    assert_eq!(reasons(&objects, "a"), []);
    assert_eq!(objects.put_foreign(grant("sales", "agents", &everything)), Touched::default());
    // What else changes in a grant changes nothing for them.
    let by_name = json!({"group": "mcpfleet.dev", "kind": "McpServer", "name": "crm"});
    assert_eq!(objects.put_foreign(grant("sales", "agents", &by_name)), Touched::default());
    let gone = objects.remove_foreign::<ReferenceGrant>(&Key::new("sales", "grant"));
    assert_eq!(servers(&gone), ["a", "b"]);
    assert_eq!(reasons(&objects, "a"), [Reason::ReferenceNotGranted]);
}

#[test]
fn a_grant_to_others_concerns_nobody() {
    let objects = across();
    let everything = json!({"group": "mcpfleet.dev", "kind": "McpServer"});
    for (namespace, from) in [("sales", "others"), ("agents", "agents"), ("others", "agents")] {
        let touched = objects.put_foreign(grant(namespace, from, &everything));
        assert_eq!(touched, Touched::default(), "{namespace} lets {from} in");
    }
}

#[test]
fn a_server_concerns_those_of_other_namespaces_that_refer_to_it() {
    let objects = across();
    let everything = json!({"group": "mcpfleet.dev", "kind": "McpServer"});
    objects.put_foreign(grant("sales", "agents", &everything));
    assert_eq!(reasons(&objects, "a"), []);
    let touched = objects.remove::<McpServer>(&Key::new("sales", "crm"));
    assert_eq!(servers(&touched), ["a", "b", "crm"]);
    assert_eq!(reasons(&objects, "a"), [Reason::ServerNotFound]);
}

#[test]
fn a_reference_that_is_gone_concerns_nobody_any_more() {
    let objects = across();
    let mut a = in_namespace("agents", "a", json!({}));
    a.metadata.generation = Some(2);
    objects.put(a);
    let touched = objects.remove::<McpServer>(&Key::new("sales", "crm"));
    assert_eq!(servers(&touched), ["crm"]);
}

#[test]
fn a_service_concerns_those_that_name_or_select_it() {
    let objects = Objects::default();
    let names = json!({"upstreams": [{"name": "up", "serviceRef": {"name": "wiki", "port": 80}}]});
    let selects = json!({"upstreamSelector": {"services": {"selector": {"matchLabels": {"mcp": "yes"}}}}});
    objects.put(in_namespace("agents", "names", names));
    objects.put(in_namespace("agents", "selects", selects));
    objects.put(in_namespace("agents", "neither", json!({})));
    assert_eq!(reasons(&objects, "names"), [Reason::ServiceNotFound]);
    assert_eq!(servers(&objects.put_foreign(service("wiki", 80, &json!({})))), ["names"]);
    assert_eq!(reasons(&objects, "names"), []);
    assert_eq!(
        servers(&objects.put_foreign(service("wiki", 80, &json!({"mcp": "yes"})))),
        ["names", "selects"]
    );
    assert_eq!(objects.put_foreign(service("wiki", 80, &json!({"mcp": "yes"}))), Touched::default());
    assert_eq!(servers(&objects.put_foreign(service("wiki", 81, &json!({})))), ["names", "selects"]);
    assert_eq!(reasons(&objects, "names"), [Reason::PortNotFound]);
    assert_eq!(objects.put_foreign(service("other", 80, &json!({}))), Touched::default());
}

#[test]
fn a_server_concerns_those_that_select_it_before_or_after() {
    let objects = Objects::default();
    let selects = json!({"upstreamSelector": {"servers": {"selector": {"matchLabels": {"mcp": "yes"}}}}});
    objects.put(in_namespace("agents", "all", selects));
    let labelled = |labels: Value, generation: i64| {
        let mut object = in_namespace("agents", "crm", json!({}));
        object.metadata.labels = serde_json::from_value(labels).unwrap();
        object.metadata.generation = Some(generation);
        object
    };
    assert_eq!(servers(&objects.put(labelled(json!({}), 1))), ["crm"]);
    assert_eq!(servers(&objects.put(labelled(json!({"mcp": "yes"}), 1))), ["all", "crm"]);
    let (compilation, _) = objects.compile(&Key::new("agents", "all")).unwrap();
    assert!(compilation.product.as_ref().unwrap().encoded.json.contains("http://crm.agents.svc/mcp"));
    let mut prefixed = labelled(json!({"mcp": "yes"}), 1);
    prefixed.metadata.annotations = Some([("mcpfleet.dev/prefix".to_owned(), "c.".to_owned())].into());
    assert_eq!(servers(&objects.put(prefixed.clone())), ["all", "crm"]);
    prefixed.metadata.annotations.as_mut().unwrap().insert("example.com/seen".into(), "today".into());
    assert_eq!(servers(&objects.put(prefixed)), ["crm"]);
    assert_eq!(servers(&objects.put(labelled(json!({}), 1))), ["all", "crm"]);
    assert_eq!(servers(&objects.put(labelled(json!({}), 2))), ["crm"]);
}

#[test]
fn a_lifecycle_server_concerns_those_that_name_it_when_it_serves_or_not() {
    let objects = Objects::default();
    let names =
        json!({"upstreams": [{"name": "up", "serverRef": {"group": "mcp.x-k8s.io", "name": "wiki"}}]});
    objects.put(in_namespace("agents", "names", names));
    objects.put(in_namespace("agents", "neither", json!({})));
    let status = |ready: u32| {
        json!({
            "readyReplicas": ready, "address": {"url": "http://wiki.agents.svc:8080/mcp"},
            "conditions": [{"type": "Available", "status": "True", "reason": "Up"}],
        })
    };
    assert_eq!(servers(&objects.put_foreign(lifecycle(&json!({})))), ["names"]);
    assert_eq!(reasons(&objects, "names"), [Reason::UpstreamNotReady]);
    assert_eq!(servers(&objects.put_foreign(lifecycle(&status(1)))), ["names"]);
    assert_eq!(reasons(&objects, "names"), []);
    assert_eq!(objects.put_foreign(lifecycle(&status(2))), Touched::default());
}

#[test]
fn a_kind_that_comes_or_goes_concerns_those_that_need_it() {
    let objects = across();
    let names =
        json!({"upstreams": [{"name": "up", "serverRef": {"group": "mcp.x-k8s.io", "name": "wiki"}}]});
    objects.put(in_namespace("agents", "names", names));
    assert_eq!(servers(&objects.set_presence(Optional::ReferenceGrant, Presence::Missing)), ["a", "b"]);
    assert_eq!(servers(&objects.set_presence(Optional::LifecycleServer, Presence::Missing)), ["names"]);
    assert_eq!(reasons(&objects, "a"), [Reason::CrdMissing]);
    assert_eq!(reasons(&objects, "names"), [Reason::CrdMissing]);
    assert_eq!(objects.set_presence(Optional::LifecycleServer, Presence::Missing), Touched::default());
    assert_eq!(servers(&objects.set_presence(Optional::ReferenceGrant, Presence::Known)), ["a", "b"]);
    assert_eq!(reasons(&objects, "a"), [Reason::ReferenceNotGranted]);
}

#[test]
fn a_new_list_forgets_what_is_not_in_it() {
    let objects = Objects::default();
    let names = json!({"upstreams": [{"name": "up", "serviceRef": {"name": "wiki", "port": 80}}]});
    objects.put(in_namespace("agents", "names", names));
    objects.put_foreign(service("wiki", 80, &json!({})));
    assert_eq!(objects.retain_foreign::<Service>(Some("other"), &[].into()), Touched::default());
    assert_eq!(servers(&objects.retain_foreign::<Service>(None, &[].into())), ["names"]);
    assert_eq!(reasons(&objects, "names"), [Reason::ServiceNotFound]);
}
