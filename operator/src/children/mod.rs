//! The objects that one McpServer owns, and those of each of its upstreams that is a program: a pure builder each. In:
//! the server, what it compiles to, what a runtime has accepted, and the operator's settings. Out: manifests for
//! server-side apply, in the order in which they are applied.
//!
//! A change of the configuration must only ever change the ConfigMap. Whatever reaches the pod template rolls
//! pods, so the template is made from [`PodNeeds`](mcpfleet_crds::compile::PodNeeds) and `spec.template` only.

mod bridge;
mod configmap;
mod deployment;
mod kind;
mod networkpolicy;
mod pdb;
mod pod;
mod probes;
mod service;
mod serviceaccount;
mod volumes;

#[cfg(test)]
mod tests;

pub use bridge::{UPSTREAM_LABEL, selector_labels as bridge_labels};
pub use configmap::{KEY as CONFIG_KEY, digest_data, digest_value};
pub use kind::ChildKind;
pub use pod::PRE_STOP_SECONDS;

use crate::{fleet::Config, world::Product};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference};
use kube::{Resource, ResourceExt, api::ObjectMeta};
use mcpfleet_config::ConfigHash;
use mcpfleet_crds::v1alpha1::{GROUP, McpServer};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// Field manager of everything that the operator writes.
pub const FIELD_MANAGER: &str = "mcpfleet-operator";
/// Value of `app.kubernetes.io/managed-by`, and `app.kubernetes.io/name` of the operator's own pods.
pub const OPERATOR: &str = "mcpfleet-operator";
/// Label with the name of the McpServer that a child belongs to.
pub const SERVER_LABEL: &str = "mcpfleet.dev/server";
/// Annotation with the hash of the manifest that was applied last.
pub const APPLIED_HASH: &str = "mcpfleet.dev/applied-hash";
/// Annotation of the ConfigMap with the hash of the configuration in it.
pub const CONFIG_HASH: &str = "mcpfleet.dev/config-hash";
/// Annotation of the ConfigMap with the revision of that configuration.
pub const CONFIG_REVISION: &str = "mcpfleet.dev/config-revision";
/// Data port of a runtime.
pub const MCP_PORT: i32 = 8080;
/// Port by which replicas of a runtime reach each other. In no Service: the pod is meant.
pub const PEER_PORT: i32 = 8082;
/// Admin port of a runtime: probes, metrics, status.
pub const ADMIN_PORT: i32 = 9090;

/// What children depend on besides the objects of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Image of the runtime where a server names none.
    pub runtime_image: String,
    /// `Always`, `IfNotPresent` or `Never`.
    pub image_pull_policy: String,
    /// Where runtimes dial the operator.
    pub operator_url: String,
}

/// What all builders are given.
#[derive(Clone, Copy, Debug)]
pub struct Blueprint<'a> {
    /// The owner.
    pub server: &'a McpServer,
    /// What it compiles to.
    pub product: &'a Product,
    /// The configuration that pods boot from; `None` while the first one is a candidate.
    pub accepted: Option<&'a Config>,
    /// Certificates that runtimes know the operator by, in PEM.
    pub bundle: &'a Arc<str>,
    /// The operator's settings.
    pub defaults: &'a Defaults,
}

/// One desired object.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// The upstream that it runs; `None` for what is the server's own.
    pub upstream: Option<String>,
    /// What is applied.
    pub manifest: Value,
    /// Hash of `manifest` without the annotation that holds it.
    pub hash: ConfigHash,
}

/// Everything that a server owns, in the order of application: pods come when all they need is there.
///
/// # Errors
/// None in practice: every manifest is representable in JSON.
pub fn all(blueprint: &Blueprint<'_>) -> Result<Vec<Child>, serde_json::Error> {
    let config = blueprint.accepted.map(|accepted| configmap::build(blueprint, accepted));
    let mut children = vec![child(ChildKind::ServiceAccount, serviceaccount::build(blueprint))?];
    children.extend(config.map(|config| child(ChildKind::ConfigMap, config)).transpose()?);
    children.extend([
        child(ChildKind::Service, service::build(blueprint))?,
        child(ChildKind::NetworkPolicy, networkpolicy::build(blueprint))?,
        child(ChildKind::PodDisruptionBudget, pdb::build(blueprint))?,
        child(ChildKind::Deployment, deployment::build(blueprint))?,
    ]);
    for bridge in &blueprint.product.bridges {
        children.extend(bridge::all(blueprint, bridge)?);
    }
    Ok(children)
}

fn child<K>(kind: ChildKind, mut object: K) -> Result<Child, serde_json::Error>
where
    K: ResourceExt + serde::Serialize,
{
    // Of what is in it, not of how it was compressed: another version of the compressor is no change.
    let mut digest = serde_json::to_value(&object)?;
    digest_value(kind, &mut digest);
    let hash = ConfigHash::of(digest.to_string().as_bytes());
    object.annotations_mut().insert(APPLIED_HASH.into(), hash.to_string());
    Ok(Child {
        kind,
        name: object.name_any(),
        upstream: None,
        manifest: serde_json::to_value(&object)?,
        hash,
    })
}

/// The manifest in the form in which objects are kept for comparison.
pub fn comparable(child: &Child) -> Value {
    let mut manifest = child.manifest.clone();
    digest_value(child.kind, &mut manifest);
    manifest
}

/// Labels of every child.
pub fn labels(server: &str) -> BTreeMap<String, String> {
    let mut labels = selector_labels(server);
    labels.insert("app.kubernetes.io/managed-by".into(), OPERATOR.into());
    labels.insert(SERVER_LABEL.into(), server.into());
    labels
}

/// Labels that select the pods of a server. A Deployment's selector can never change: neither may these.
pub fn selector_labels(server: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/name".into(), "mcp-runtime".into()),
        ("app.kubernetes.io/instance".into(), server.into()),
    ])
}

fn selector(server: &McpServer) -> LabelSelector {
    LabelSelector { match_labels: Some(selector_labels(&server.name_any())), ..LabelSelector::default() }
}

fn metadata(server: &McpServer) -> ObjectMeta {
    ObjectMeta {
        name: Some(server.name_any()),
        namespace: server.namespace(),
        labels: Some(labels(&server.name_any())),
        owner_references: Some(vec![owner(server)]),
        ..ObjectMeta::default()
    }
}

fn owner(server: &McpServer) -> OwnerReference {
    OwnerReference {
        api_version: format!("{GROUP}/v1alpha1"),
        kind: McpServer::kind(&()).into_owned(),
        name: server.name_any(),
        uid: server.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}
