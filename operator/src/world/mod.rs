//! What the watches have told: all that a reconcile looks at. Reading it costs no request.
//!
//! Indexed by namespace, since that is how far a selector reaches, and by what servers name: a change touches the
//! servers that it concerns and nobody else, in a cluster of thousands. What a server compiles to is kept until one of its
//! inputs changes, and shared by the controllers of servers, tools and routes.

mod children;
mod compilation;
mod custom;
mod endpoints;
mod foreign;
mod links;
mod namespace;
mod objects;
mod shelf;
mod state;

#[cfg(test)]
mod tests;

pub use children::{Children, Seen};
pub use compilation::{Compilation, Product};
pub use custom::Custom;
pub use endpoints::{Endpoint, endpoints};
pub use foreign::{External, Presence};
pub use objects::{Malformed, Objects, Touched};
pub use shelf::Shelf;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt;
use mcpfleet_crds::compile::Sight;
use std::fmt;

/// Label of an `EndpointSlice` with the name of its Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub struct Key {
    pub namespace: String,
    pub name: String,
}

impl Key {
    /// A key from its parts.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// Key of an object.
    pub fn of(object: &impl ResourceExt) -> Self {
        Self { namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Everything that is watched.
#[derive(Debug)]
pub struct World {
    /// The custom resources.
    pub objects: Objects,
    /// What servers own.
    pub children: Children,
    /// Addresses of their pods.
    pub slices: Shelf<EndpointSlice>,
}

impl Default for World {
    fn default() -> Self {
        Self::seeing(Sight::Cluster)
    }
}

impl World {
    /// Nothing yet, of what `sight` says is seen.
    pub fn seeing(sight: Sight) -> Self {
        Self {
            objects: Objects::seeing(sight),
            children: Children::default(),
            slices: Shelf::new(|slice: &EndpointSlice| slice.labels().get(SERVICE_NAME).cloned()),
        }
    }

    /// Pods of a server that have an address and are not on their way out.
    pub fn endpoints(&self, server: &Key) -> Vec<Endpoint> {
        endpoints(&self.slices.of(server))
    }
}
