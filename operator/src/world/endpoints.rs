//! Addresses of a server's pods, from the `EndpointSlice`s of its Service. They list pods that are not Ready
//! too, which is when asking them why is worth most.

use k8s_openapi::api::discovery::v1::EndpointSlice;
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// A pod that can be asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Name of the pod.
    pub pod: String,
    /// Its address.
    pub address: IpAddr,
    /// Whether calls are sent to it.
    pub ready: bool,
}

/// The pods of these slices, sorted by name, each once (a dual-stack pod stands in two slices). Pods that are
/// on their way out are left out: nobody waits for them.
pub fn endpoints(slices: &[Arc<EndpointSlice>]) -> Vec<Endpoint> {
    let mut pods: BTreeMap<String, Endpoint> = BTreeMap::new();
    for endpoint in slices.iter().flat_map(|slice| &slice.endpoints) {
        let conditions = endpoint.conditions.clone().unwrap_or_default();
        let address = endpoint.addresses.first().and_then(|address| address.parse::<IpAddr>().ok());
        let Some(address) = address.filter(|_| conditions.terminating != Some(true)) else { continue };
        let pod = endpoint.target_ref.as_ref().and_then(|target| target.name.clone());
        let pod = pod.unwrap_or_else(|| address.to_string());
        let ready = conditions.ready.unwrap_or(true);
        pods.entry(pod.clone()).or_insert(Endpoint { pod, address, ready });
    }
    pods.into_values().collect()
}
