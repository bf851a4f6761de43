//! A server's pods, from the `EndpointSlice`s of its Service, which list those that are not Ready too.

use k8s_openapi::api::discovery::v1::EndpointSlice;
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// A pod of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Name of the pod.
    pub pod: String,
    /// Its identity.
    pub uid: String,
    /// Its address.
    pub address: IpAddr,
    /// Whether calls are sent to it.
    pub ready: bool,
}

/// Whether the slice is the endpoint slice controller's, made for a Service.
fn is_of_kubernetes(slice: &EndpointSlice) -> bool {
    let labels = slice.metadata.labels.as_ref();
    let made_by = labels.and_then(|labels| labels.get("endpointslice.kubernetes.io/managed-by"));
    let owners = slice.metadata.owner_references.as_deref().unwrap_or_default();
    made_by.is_some_and(|name| name == "endpointslice-controller.k8s.io")
        && owners.iter().any(|owner| owner.kind == "Service" && owner.controller == Some(true))
}

/// The pods of these slices, sorted by name, each once (a dual-stack pod stands in two slices). Pods that are
/// on their way out are left out: nobody waits for them. So is what Kubernetes' own controller did not write, or
/// what is no pod: whoever may write an `EndpointSlice` must not choose whom the operator counts and believes.
pub fn endpoints(slices: &[Arc<EndpointSlice>]) -> Vec<Endpoint> {
    let mut pods: BTreeMap<String, Endpoint> = BTreeMap::new();
    for endpoint in slices.iter().filter(|slice| is_of_kubernetes(slice)).flat_map(|slice| &slice.endpoints) {
        let conditions = endpoint.conditions.clone().unwrap_or_default();
        let address = endpoint.addresses.first().and_then(|address| address.parse::<IpAddr>().ok());
        let Some(address) = address.filter(|_| conditions.terminating != Some(true)) else { continue };
        let target = endpoint.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"));
        let Some((pod, uid)) = target.and_then(|target| target.name.clone().zip(target.uid.clone())) else {
            continue;
        };
        let ready = conditions.ready.unwrap_or(true);
        pods.entry(pod.clone()).or_insert(Endpoint { pod, uid, address, ready });
    }
    pods.into_values().collect()
}
