//! Who may reach a server's pods: anyone on the data port (who may call is decided there), replicas of the same server on
//! the peer port, nobody on the admin port. Probes of the kubelet come from the node and are not affected. Egress is left
//! open: tools, upstreams and providers may be anywhere, and so may the operator.

use super::{Blueprint, MCP_PORT, PEER_PORT, metadata, selector};
use k8s_openapi::{
    api::networking::v1::{
        NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

pub(super) fn build(blueprint: &Blueprint<'_>) -> NetworkPolicy {
    let pods = selector(blueprint.server);
    let replicas = NetworkPolicyPeer { pod_selector: Some(pods.clone()), ..NetworkPolicyPeer::default() };
    NetworkPolicy {
        metadata: metadata(blueprint.server),
        spec: Some(ingress_only(pods, vec![rule(MCP_PORT, None), rule(PEER_PORT, Some(vec![replicas]))])),
    }
}

pub(super) fn ingress_only(pods: LabelSelector, rules: Vec<NetworkPolicyIngressRule>) -> NetworkPolicySpec {
    NetworkPolicySpec {
        pod_selector: Some(pods),
        policy_types: Some(vec!["Ingress".into()]),
        ingress: Some(rules),
        egress: None,
    }
}

/// `port` for `from`, or for everybody.
pub(super) fn rule(port: i32, from: Option<Vec<NetworkPolicyPeer>>) -> NetworkPolicyIngressRule {
    let port = NetworkPolicyPort {
        port: Some(IntOrString::Int(port)),
        protocol: Some("TCP".into()),
        ..NetworkPolicyPort::default()
    };
    NetworkPolicyIngressRule { ports: Some(vec![port]), from }
}
