//! Objects that are not ours and that a server can refer to: as much of them as a reference needs, and no more, since the
//! operator keeps every one of them. A part that cannot be read counts as absent: it grants nothing and serves nobody.

mod grant;
mod lifecycle;
mod service;
mod target;

#[cfg(test)]
mod tests;

pub use grant::ReferenceGrant;
pub use lifecycle::{LifecycleServer, Standing};
pub use service::{Service, ServiceKind, ServicePort};
pub use target::{Target, TargetKind};

use kube::{ResourceExt, core::ObjectMeta};

/// Annotation of a server or Service with the prefix of its tools' names, where labels make it an upstream.
pub const PREFIX: &str = "mcpfleet.dev/prefix";
/// Annotation of a Service with the number or name of the port that speaks MCP.
pub const PORT: &str = "mcpfleet.dev/port";
/// Annotation of a Service with the path of its MCP endpoint.
pub const PATH: &str = "mcpfleet.dev/path";

/// Kinds whose definition a cluster may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Optional {
    /// `ReferenceGrant` of the Gateway API.
    ReferenceGrant,
    /// `MCPServer` of kubernetes-sigs/mcp-lifecycle-operator.
    LifecycleServer,
}

impl Optional {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::ReferenceGrant, Self::LifecycleServer];

    /// Its API group.
    pub fn group(self) -> &'static str {
        match self {
            Self::ReferenceGrant => "gateway.networking.k8s.io",
            Self::LifecycleServer => "mcp.x-k8s.io",
        }
    }

    /// Its kind.
    pub fn kind(self) -> &'static str {
        match self {
            Self::ReferenceGrant => "ReferenceGrant",
            Self::LifecycleServer => "MCPServer",
        }
    }

    /// Versions that are understood, the one that is asked for first in front.
    pub fn versions(self) -> &'static [&'static str] {
        match self {
            Self::ReferenceGrant => &["v1", "v1beta1"],
            Self::LifecycleServer => &["v1beta1", "v1alpha1"],
        }
    }
}

/// Namespace and name; a file may leave the namespace out.
fn names_of(metadata: &ObjectMeta) -> (String, String) {
    let namespace = metadata.namespace.clone().unwrap_or_else(|| "default".into());
    (namespace, metadata.name.clone().unwrap_or_default())
}

/// The annotations that say how something is reached.
fn hints(object: &impl ResourceExt) -> std::collections::BTreeMap<String, String> {
    let ours = |key: &str| [PREFIX, PORT, PATH].contains(&key);
    object.annotations().iter().filter(|(key, _)| ours(key)).map(|(k, v)| (k.clone(), v.clone())).collect()
}
