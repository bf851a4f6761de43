//! Who may reach a server's pods: anyone on the data port (who may call is decided there), nobody on the admin port.
//! Probes of the kubelet come from the node and are not affected. Egress is left open: tools, upstreams and
//! providers may be anywhere, and so may the operator.

use super::{Blueprint, MCP_PORT, metadata, selector};
use k8s_openapi::{
    api::networking::v1::{NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPort, NetworkPolicySpec},
    apimachinery::pkg::util::intstr::IntOrString,
};

pub(super) fn build(blueprint: &Blueprint<'_>) -> NetworkPolicy {
    let data = NetworkPolicyPort {
        port: Some(IntOrString::Int(MCP_PORT)),
        protocol: Some("TCP".into()),
        ..NetworkPolicyPort::default()
    };
    NetworkPolicy {
        metadata: metadata(blueprint.server),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector(blueprint.server)),
            policy_types: Some(vec!["Ingress".into()]),
            ingress: Some(vec![NetworkPolicyIngressRule { ports: Some(vec![data]), from: None }]),
            egress: None,
        }),
    }
}
