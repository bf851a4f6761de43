//! A `Service` of the cluster: its ports, and what labels and annotations say of it.

use super::{hints, names_of};
use k8s_openapi::api::core::v1;
use kube::ResourceExt;
use std::collections::BTreeMap;

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// [`PREFIX`](super::PREFIX), [`PORT`](super::PORT) and [`PATH`](super::PATH), where they are set.
    pub hints: BTreeMap<String, String>,
    /// What kind of Service it is.
    pub kind: ServiceKind,
    /// Its TCP ports.
    pub ports: Vec<ServicePort>,
}

/// What its name resolves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// Addresses of the cluster.
    Cluster,
    /// Whatever another name resolves to: it could lead anywhere.
    ExternalName,
}

/// A TCP port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name; a single port may have none.
    pub name: Option<String>,
    /// Its number.
    pub number: u16,
}

impl Service {
    /// What matters of a Service.
    pub fn read(object: &v1::Service) -> Self {
        let (namespace, name) = names_of(&object.metadata);
        let spec = object.spec.as_ref();
        let external = spec.and_then(|spec| spec.type_.as_deref()) == Some("ExternalName");
        let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
        Self {
            namespace,
            name,
            labels: object.labels().clone(),
            hints: hints(object),
            kind: if external { ServiceKind::ExternalName } else { ServiceKind::Cluster },
            ports: ports.iter().filter_map(port).collect(),
        }
    }
}

fn port(port: &v1::ServicePort) -> Option<ServicePort> {
    let tcp = port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP");
    let number = u16::try_from(port.port).ok().filter(|number| tcp && *number > 0)?;
    Some(ServicePort { name: port.name.clone(), number })
}
