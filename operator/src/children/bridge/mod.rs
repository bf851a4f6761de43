//! What runs a program that is an upstream: a Deployment of one pod, its Service, its `NetworkPolicy` and its account. The
//! pod has the user's image; an init container copies `mcp-runtime` into it, which starts the program and speaks MCP over
//! HTTP for it. Owned by the server, and apart from it: none of its labels select the server's pods, and nothing that
//! goes wrong here keeps the server from anything.

mod pod;
mod volumes;

#[cfg(test)]
mod tests;

use super::{
    Blueprint, Child, ChildKind, MCP_PORT, OPERATOR, SERVER_LABEL, child, networkpolicy, owner, selector,
    service,
};
use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
        core::v1::{Service, ServiceAccount},
        networking::v1::{NetworkPolicy, NetworkPolicyPeer},
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use kube::{ResourceExt, api::ObjectMeta};
use mcpfleet_crds::compile::{Bridge, SERVICE_PORTS};
use std::collections::BTreeMap;

/// Label with the name of the upstream that a child runs.
pub const UPSTREAM_LABEL: &str = "mcpfleet.dev/upstream";
/// Value of `app.kubernetes.io/name` of what runs upstreams.
const NAME: &str = "mcp-bridge";

/// The objects of one program, in the order of application.
pub(super) fn all(blueprint: &Blueprint<'_>, bridge: &Bridge) -> Result<Vec<Child>, serde_json::Error> {
    let children = [
        child(ChildKind::ServiceAccount, service_account(blueprint, bridge))?,
        child(ChildKind::Service, service(blueprint, bridge))?,
        child(ChildKind::NetworkPolicy, network_policy(blueprint, bridge))?,
        child(ChildKind::Deployment, deployment(blueprint, bridge))?,
    ];
    let upstream = Some(bridge.upstream.clone());
    Ok(children.map(|child| Child { upstream: upstream.clone(), ..child }).into())
}

/// Labels that select the pods of all programs of a server.
pub fn selector_labels(server: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("app.kubernetes.io/name".into(), NAME.into()), (SERVER_LABEL.into(), server.into())])
}

/// Labels that select the pod of one. A Deployment's selector can never change: neither may these.
fn own_labels(bridge: &Bridge) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/name".into(), NAME.into()),
        ("app.kubernetes.io/instance".into(), bridge.name.clone()),
    ])
}

fn labels(blueprint: &Blueprint<'_>, bridge: &Bridge) -> BTreeMap<String, String> {
    let mut labels = own_labels(bridge);
    labels.extend(selector_labels(&blueprint.server.name_any()));
    labels.insert("app.kubernetes.io/managed-by".into(), OPERATOR.into());
    labels.insert(UPSTREAM_LABEL.into(), bridge.upstream.clone());
    labels
}

fn metadata(blueprint: &Blueprint<'_>, bridge: &Bridge) -> ObjectMeta {
    ObjectMeta {
        name: Some(bridge.name.clone()),
        namespace: blueprint.server.namespace(),
        labels: Some(labels(blueprint, bridge)),
        owner_references: Some(vec![owner(blueprint.server)]),
        ..ObjectMeta::default()
    }
}

fn own_selector(bridge: &Bridge) -> LabelSelector {
    LabelSelector { match_labels: Some(own_labels(bridge)), ..LabelSelector::default() }
}

/// Without rights, and without a token in the pod: what users' images do with one is not known.
fn service_account(blueprint: &Blueprint<'_>, bridge: &Bridge) -> ServiceAccount {
    ServiceAccount {
        metadata: metadata(blueprint, bridge),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

fn service(blueprint: &Blueprint<'_>, bridge: &Bridge) -> Service {
    Service {
        metadata: metadata(blueprint, bridge),
        spec: Some(service::spec(own_labels(bridge), SERVICE_PORTS.0, "http")),
        ..Service::default()
    }
}

/// The program asks nobody who calls: only the server's own pods reach it.
fn network_policy(blueprint: &Blueprint<'_>, bridge: &Bridge) -> NetworkPolicy {
    let server =
        NetworkPolicyPeer { pod_selector: Some(selector(blueprint.server)), ..NetworkPolicyPeer::default() };
    let rule = networkpolicy::rule(MCP_PORT, Some(vec![server]));
    NetworkPolicy {
        metadata: metadata(blueprint, bridge),
        spec: Some(networkpolicy::ingress_only(own_selector(bridge), vec![rule])),
    }
}

/// One pod, since a program may keep things in its process; none while the server has none. A change that does not come
/// up takes nothing away that works.
fn deployment(blueprint: &Blueprint<'_>, bridge: &Bridge) -> Deployment {
    let rolling = RollingUpdateDeployment {
        max_surge: Some(IntOrString::Int(1)),
        max_unavailable: Some(IntOrString::Int(0)),
    };
    Deployment {
        metadata: metadata(blueprint, bridge),
        spec: Some(DeploymentSpec {
            replicas: Some(blueprint.server.spec.replicas.min(1)),
            selector: own_selector(bridge),
            revision_history_limit: Some(3),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".into()),
                rolling_update: Some(rolling),
            }),
            template: pod::build(blueprint, bridge, labels(blueprint, bridge)),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}
