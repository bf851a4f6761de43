//! Objects for tests, as the API server would give them.

use crate::{
    children::{self, Blueprint, ChildKind, Defaults},
    fleet::{Answer, Config},
    server::{Applied, Observed, Situation, Trouble},
    world::{Compilation, Endpoint, Objects, Seen},
};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use mcpfleet_config::{status::PodStatus, stream::Serving};
use mcpfleet_crds::v1alpha1::{McpServer, McpTool};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

pub(crate) const BUNDLE: &str = "-----BEGIN CERTIFICATE-----";
pub(crate) const UID: &str = "uid-of-support";

pub(crate) fn defaults() -> Defaults {
    Defaults {
        runtime_image: "runtime:1".into(),
        image_pull_policy: "IfNotPresent".into(),
        operator_url: "https://mcpfleet-operator.mcpfleet-system.svc:8443".into(),
    }
}

/// McpServer `support` with a selector for `fleet: support`; `spec` is laid over it.
pub(crate) fn server(spec: Value) -> McpServer {
    let mut object = json!({
        "apiVersion": "mcpfleet.dev/v1alpha1", "kind": "McpServer",
        "metadata": {
            "name": "support", "namespace": "agents", "uid": UID, "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"auth": {"anonymous": {}}, "tools": {"selector": {"matchLabels": {"fleet": "support"}}}},
    });
    if let (Some(base), Value::Object(over)) = (object["spec"].as_object_mut(), spec) {
        base.extend(over);
    }
    serde_json::from_value(object).unwrap()
}

pub(crate) fn tool(name: &str, spec: Value) -> McpTool {
    let mut object = json!({
        "apiVersion": "mcpfleet.dev/v1alpha1", "kind": "McpTool",
        "metadata": {
            "name": name, "namespace": "agents", "uid": format!("uid-of-{name}"), "generation": 1,
            "labels": {"fleet": "support"}, "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"description": "Says hello.", "backend": {"static": {"text": "hello"}}},
    });
    if let (Some(base), Value::Object(over)) = (object["spec"].as_object_mut(), spec) {
        base.extend(over);
    }
    serde_json::from_value(object).unwrap()
}

/// A tool that needs a Secret.
pub(crate) fn tool_with_secret(name: &str, secret: &str) -> McpTool {
    tool(
        name,
        json!({"backend": {"http": {
            "url": "https://api.example.com/x",
            "auth": {"bearer": {"secretRef": {"name": secret, "key": "token"}}},
        }}}),
    )
}

/// As if a runtime had accepted what is wanted.
fn accepted(compilation: &Compilation) -> Option<Config> {
    compilation.product.as_ref().map(|product| Config::new(1, product.encoded.clone()))
}

/// Everything about a server as it is before anything was applied.
pub(crate) fn observed(server: McpServer, tools: &[McpTool]) -> Observed {
    let objects = Objects::default();
    let key = crate::world::Key::of(&server);
    objects.put(server);
    for tool in tools {
        objects.put(tool.clone());
    }
    let (compilation, _) = objects.compile(&key).unwrap();
    Observed {
        server: objects.get(&key).unwrap(),
        accepted: accepted(&compilation),
        compilation,
        scaling: None,
        children: Vec::new(),
        deployment: None,
        bridges: Vec::new(),
        answers: None,
    }
}

/// The same after everything was applied, with what the API server adds.
pub(crate) fn applied(mut observed: Observed) -> Observed {
    let product = observed.compilation.product.as_ref().unwrap();
    let defaults = defaults();
    let bundle = BUNDLE.into();
    let blueprint = Blueprint {
        server: &observed.server,
        product,
        accepted: observed.accepted.as_ref(),
        bundle: &bundle,
        defaults: &defaults,
    };
    observed.children = children::all(&blueprint)
        .unwrap()
        .iter()
        .map(|child| {
            let mut object = children::comparable(child);
            object["metadata"]["uid"] = json!("uid-of-child");
            object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
            assert!(
                !object.to_string().contains("\"readOnly\":false"),
                "the API server drops it: a write at each look"
            );
            if child.kind == ChildKind::Deployment {
                object["spec"]["progressDeadlineSeconds"] = json!(600);
                object["spec"]["template"]["spec"]["dnsPolicy"] = json!("ClusterFirst");
            }
            let metadata = serde_json::from_value(object["metadata"].clone()).unwrap();
            Seen { kind: child.kind, metadata, object }
        })
        .collect();
    observed
}

/// The same with every pod running, Ready and in sync.
pub(crate) fn serving(observed: Observed) -> Observed {
    let wanted = observed.server.spec.replicas;
    let hash = observed.compilation.product.as_ref().unwrap().encoded.hash.clone();
    let status = PodStatus { config_hash: Some(hash), ready: true, ..PodStatus::default() };
    let answers = (0..wanted).map(|n| answer(&format!("support-{n}"), status.clone())).collect();
    let deployment = deployment(wanted, wanted, wanted);
    Observed { deployment: Some(Arc::new(deployment)), answers: Some(Arc::new(answers)), ..applied(observed) }
}

pub(crate) fn deployment(wanted: i32, updated: i32, ready: i32) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": "support", "generation": 1},
        "spec": {"replicas": wanted, "selector": {}, "template": {}},
        "status": {
            "observedGeneration": 1, "replicas": wanted, "updatedReplicas": updated,
            "readyReplicas": ready, "availableReplicas": ready,
        },
    }))
    .unwrap()
}

pub(crate) fn answer(pod: &str, status: PodStatus) -> Answer {
    let endpoint = Endpoint {
        pod: pod.into(),
        uid: format!("uid-of-{pod}"),
        address: [10, 0, 0, 1].into(),
        ready: status.ready,
    };
    Answer { endpoint, status: Some(status), serving: Serving::Normal }
}

pub(crate) fn situation<'a>(
    observed: &'a Observed,
    applied: &'a Applied,
    trouble: Option<&'a Trouble>,
) -> Situation<'a> {
    const UNTROUBLED: &BTreeMap<String, Trouble> = &BTreeMap::new();
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    Situation { observed, applied, trouble, upstream_troubles: UNTROUBLED, now }
}
