//! Address of a server inside the cluster.

use super::{Blueprint, metadata, selector_labels};
use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};
use kube::ResourceExt;
use mcpfleet_crds::compile::SERVICE_PORTS;
use std::collections::BTreeMap;

pub(super) fn build(blueprint: &Blueprint<'_>) -> Service {
    let server = blueprint.server;
    let (port, protocol) = match server.spec.tls {
        None => (SERVICE_PORTS.0, "http"),
        Some(_) => (SERVICE_PORTS.1, "https"),
    };
    Service {
        metadata: metadata(server),
        spec: Some(spec(selector_labels(&server.name_any()), port, protocol)),
        ..Service::default()
    }
}

/// One port, called `mcp`, that leads to the port of that name of the pods that `labels` select.
pub(super) fn spec(labels: BTreeMap<String, String>, port: u16, protocol: &str) -> ServiceSpec {
    ServiceSpec {
        type_: Some("ClusterIP".into()),
        selector: Some(labels),
        ports: Some(vec![ServicePort {
            name: Some("mcp".into()),
            port: i32::from(port),
            target_port: Some(IntOrString::String("mcp".into())),
            protocol: Some("TCP".into()),
            app_protocol: Some(protocol.into()),
            ..ServicePort::default()
        }]),
        ..ServiceSpec::default()
    }
}
