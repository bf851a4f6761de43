use super::{LifecycleServer, ReferenceGrant, Service, ServiceKind, Standing, Target, TargetKind};
use kube::core::DynamicObject;
use serde_json::{Value, json};

fn object(mut more: Value) -> DynamicObject {
    more["apiVersion"] = json!("x/v1");
    more["kind"] = json!("X");
    more["metadata"] = json!({"name": "a", "namespace": "sales"});
    serde_json::from_value(more).unwrap()
}

#[test]
fn a_grant_of_another_form_grants_nothing() {
    let target = Target::new("sales", TargetKind::Server, "crm");
    for spec in [
        Value::Null,
        json!("all"),
        json!({"from": [{"group": "mcpfleet.dev", "kind": "McpServer", "namespace": "agents"}]}),
        json!({"from": "all", "to": [{"group": "mcpfleet.dev", "kind": "McpServer"}]}),
        json!({"from": [], "to": [{"group": "mcpfleet.dev", "kind": "McpServer"}]}),
    ] {
        let grant = ReferenceGrant::read(&object(json!({"spec": spec})));
        assert!(!grant.allows("agents", &target), "{spec}");
    }
}

#[test]
fn what_a_grant_says_to_others_is_passed_over() {
    let from =
        |kind: &str, namespace: &str| json!({"group": "mcpfleet.dev", "kind": kind, "namespace": namespace});
    let spec = json!({
        "from": [from("McpServer", "agents"), from("McpTool", "others")],
        "to": [{"group": "", "kind": "Secret"}, {"group": "", "kind": "Service", "name": "crm"}],
    });
    let grant = ReferenceGrant::read(&object(json!({"spec": spec})));
    assert!(grant.concerns("agents") && !grant.concerns("others"));
    let service = |name: &str| Target::new("sales", TargetKind::Service, name);
    assert!(grant.allows("agents", &service("crm")) && !grant.allows("agents", &service("erp")));
}

#[test]
fn counts_and_times_of_a_status_do_not_matter() {
    let status = |ready: u32, time: &str| {
        let condition = json!({
            "type": "Available", "status": "True", "reason": "Up", "message": time, "lastTransitionTime": time,
        });
        let status = json!({
            "readyReplicas": ready, "address": {"url": "http://a.sales.svc:80/mcp"}, "conditions": [condition],
        });
        LifecycleServer::read(&object(json!({"status": status})))
    };
    assert_eq!(status(1, "2026-01-01T00:00:00Z"), status(2, "2026-01-02T00:00:00Z"));
    assert_eq!(status(1, "").standing, Standing::Serving { url: "http://a.sales.svc:80/mcp".into() });
}

#[test]
fn what_changes_often_in_a_service_does_not_matter() {
    let service = |version: &str, annotation: &str| {
        let object = json!({
            "metadata": {
                "name": "a", "namespace": "sales", "resourceVersion": version,
                "annotations": {"example.com/seen": annotation, "mcpfleet.dev/port": "http"},
            },
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}]},
            "status": {"loadBalancer": {"ingress": [{"ip": annotation}]}},
        });
        Service::read(&serde_json::from_value(object).unwrap())
    };
    assert_eq!(service("1", "10.0.0.1"), service("2", "10.0.0.2"));
    assert_eq!(service("1", "").hints.len(), 1);
    assert_eq!((service("1", "").kind, service("1", "").ports.len()), (ServiceKind::Cluster, 1));
}
