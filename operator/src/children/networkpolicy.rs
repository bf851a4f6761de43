//! Who may reach a server's pods: anyone on the data port (who may call is decided there), the operator alone
//! on the admin port. Probes of the kubelet come from the node and are not affected. Egress is left open:
//! tools, upstreams and providers may be anywhere.

use super::{ADMIN_PORT, Blueprint, MCP_PORT, OPERATOR, metadata, selector};
use k8s_openapi::{
    api::networking::v1::{
        NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use std::collections::BTreeMap;

pub(super) fn build(blueprint: &Blueprint<'_>) -> NetworkPolicy {
    let operator = NetworkPolicyPeer {
        namespace_selector: Some(labelled(
            "kubernetes.io/metadata.name",
            &blueprint.defaults.operator_namespace,
        )),
        pod_selector: Some(labelled("app.kubernetes.io/name", OPERATOR)),
        ..NetworkPolicyPeer::default()
    };
    NetworkPolicy {
        metadata: metadata(blueprint.server),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector(blueprint.server)),
            policy_types: Some(vec!["Ingress".into()]),
            ingress: Some(vec![
                NetworkPolicyIngressRule { ports: Some(vec![tcp(MCP_PORT)]), from: None },
                NetworkPolicyIngressRule { ports: Some(vec![tcp(ADMIN_PORT)]), from: Some(vec![operator]) },
            ]),
            egress: None,
        }),
    }
}

fn labelled(key: &str, value: &str) -> LabelSelector {
    let match_labels = Some(BTreeMap::from([(key.to_owned(), value.to_owned())]));
    LabelSelector { match_labels, ..LabelSelector::default() }
}

fn tcp(port: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        port: Some(IntOrString::Int(port)),
        protocol: Some("TCP".into()),
        ..NetworkPolicyPort::default()
    }
}
