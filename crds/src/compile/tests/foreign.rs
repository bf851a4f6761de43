//! Objects that are not ours, written as users write them and as chance writes them.

use super::{
    fleets::Fleet,
    properties::{selection, word},
};
use crate::{
    compile::Sight,
    foreign::{
        LifecycleServer, Optional, PATH, PORT, PREFIX, ReferenceGrant, Service, ServiceKind, ServicePort,
        Standing,
    },
    v1alpha1::{ServerGroup, ServerRef, ServiceRef, UpstreamSelector},
};
use k8s_openapi::api::core::v1;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;

/// A grant of `namespace`; `from` and `to` as YAML.
pub(crate) fn grant(namespace: &str, from: &str, to: &str) -> ReferenceGrant {
    let yaml = format!(
        "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {{name: grant, namespace: \
         {namespace}}}\nspec: {{from: [{from}], to: [{to}]}}\n"
    );
    ReferenceGrant::read(&serde_saphyr::from_str(&yaml).unwrap())
}

/// A Service of `namespace`; `more` is laid under its metadata, `spec` is all of its spec.
pub(crate) fn service(namespace: &str, name: &str, more: &str, spec: &str) -> Service {
    let yaml = format!("metadata: {{name: {name}, namespace: {namespace}{more}}}\nspec: {{{spec}}}\n");
    Service::read(&serde_saphyr::from_str::<v1::Service>(&yaml).unwrap())
}

/// An MCPServer of `namespace` with a status.
pub(crate) fn lifecycle(namespace: &str, name: &str, status: &str) -> LifecycleServer {
    let yaml = format!(
        "apiVersion: mcp.x-k8s.io/v1beta1\nkind: MCPServer\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         status: {status}\n"
    );
    LifecycleServer::read(&serde_saphyr::from_str(&yaml).unwrap())
}

fn namespace() -> impl Strategy<Value = String> {
    select(vec!["agents", "crm", "default"]).prop_map(String::from)
}

pub(super) fn server_ref() -> impl Strategy<Value = ServerRef> {
    let group = select(vec![ServerGroup::Mcpfleet, ServerGroup::Lifecycle]);
    (group, word(), option::of(namespace())).prop_map(|(group, name, namespace)| ServerRef {
        group,
        name,
        namespace,
        auth: None,
    })
}

pub(super) fn service_ref() -> impl Strategy<Value = ServiceRef> {
    let port = prop_oneof![Just(80), any::<i32>()];
    let path = prop_oneof![Just("/mcp".to_owned()), word()];
    (word(), option::of(namespace()), port, path).prop_map(|(name, namespace, port, path)| ServiceRef {
        name,
        namespace,
        port,
        path,
        auth: None,
    })
}

pub(super) fn upstream_selector() -> impl Strategy<Value = UpstreamSelector> {
    (option::of(selection()), option::of(selection()))
        .prop_map(|(servers, services)| UpstreamSelector { servers, services })
}

fn any_service() -> impl Strategy<Value = Service> {
    let port = (option::of(word()), prop_oneof![Just(80), 1..u16::MAX])
        .prop_map(|(name, number)| ServicePort { name, number });
    let hints =
        prop::collection::btree_map(select(vec![PREFIX, PORT, PATH]).prop_map(String::from), word(), 0..3);
    let kind = select(vec![ServiceKind::Cluster, ServiceKind::ExternalName]);
    (word(), namespace(), any::<bool>(), hints, kind, vec(port, 0..3)).prop_map(
        |(name, namespace, labelled, hints, kind, ports)| {
            let label = labelled.then(|| ("fleet".to_owned(), "shop".to_owned()));
            Service { namespace, name, labels: label.into_iter().collect(), hints, kind, ports }
        },
    )
}

fn any_grant() -> impl Strategy<Value = ReferenceGrant> {
    let kind = select(vec![("mcpfleet.dev", "McpServer"), ("", "Service"), ("mcp.x-k8s.io", "MCPServer")]);
    let to = (kind, option::of(word()))
        .prop_map(|((group, kind), name)| json!({"group": group, "kind": kind, "name": name}));
    (namespace(), namespace(), vec(to, 0..3)).prop_map(|(namespace, from, to)| {
        let from = json!([{"group": "mcpfleet.dev", "kind": "McpServer", "namespace": from}]);
        let object = json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "ReferenceGrant",
            "metadata": {"name": "grant", "namespace": namespace}, "spec": {"from": from, "to": to},
        });
        ReferenceGrant::read(&serde_json::from_value(object).unwrap())
    })
}

fn any_lifecycle() -> impl Strategy<Value = LifecycleServer> {
    let standing = prop_oneof![
        word().prop_map(|word| Standing::Serving { url: format!("http://{word}.agents.svc:8080/mcp") }),
        word().prop_map(|url| Standing::Serving { url }),
        Just(Standing::Waiting { why: "has no condition Available yet".into() }),
    ];
    (namespace(), word(), standing).prop_map(|(namespace, name, standing)| LifecycleServer {
        namespace,
        name,
        standing,
    })
}

/// A fleet of nothing but what is around a server. Boxed, like others that many are made of: a thread of tests has a small stack.
pub(super) fn around() -> BoxedStrategy<Fleet> {
    let missing = prop::collection::btree_set(select(Optional::ALL.to_vec()), 0..2);
    let sight = prop_oneof![
        3 => Just(Sight::Cluster),
        1 => Just(Sight::Namespaces(["agents".to_owned()].into())),
        1 => Just(Sight::Manifests),
    ];
    (vec(any_grant(), 0..3), vec(any_service(), 0..4), vec(any_lifecycle(), 0..3), missing, sight)
        .prop_map(|(grants, services, lifecycle, missing, sight)| Fleet {
            grants,
            // Names of objects of one kind are unique in a namespace.
            services: unique(services, |it| (it.namespace.clone(), it.name.clone())),
            lifecycle: unique(lifecycle, |it| (it.namespace.clone(), it.name.clone())),
            missing,
            sight,
            ..Fleet::shop()
        })
        .boxed()
}

fn unique<T>(objects: Vec<T>, key: fn(&T) -> (String, String)) -> Vec<T> {
    let mut seen = std::collections::BTreeSet::new();
    objects.into_iter().filter(|object| seen.insert(key(object))).collect()
}
