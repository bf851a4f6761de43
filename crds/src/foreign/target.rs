//! What a reference leads to.

use crate::v1alpha1::{GROUP, McpServer, ServerGroup, Upstream};
use kube::ResourceExt;

/// Kinds that an upstream can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// An `McpServer`.
    Server,
    /// A `Service`.
    Service,
    /// An `MCPServer` of mcp.x-k8s.io.
    Lifecycle,
}

impl TargetKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Server, Self::Service, Self::Lifecycle];

    /// API group; empty for that of Services.
    pub fn group(self) -> &'static str {
        match self {
            Self::Server => GROUP,
            Self::Service => "",
            Self::Lifecycle => "mcp.x-k8s.io",
        }
    }

    /// Kind, as manifests write it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Server => "McpServer",
            Self::Service => "Service",
            Self::Lifecycle => "MCPServer",
        }
    }
}

/// An object that an upstream names. Ordered by namespace first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Its namespace.
    pub namespace: String,
    /// Its kind.
    pub kind: TargetKind,
    /// Its name.
    pub name: String,
}

impl Target {
    /// A target from its parts.
    pub fn new(namespace: impl Into<String>, kind: TargetKind, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), kind, name: name.into() }
    }

    /// What an upstream of a server in `home` names; `None` for a URL or a program.
    pub fn of(upstream: &Upstream, home: &str) -> Option<Self> {
        let (namespace, kind, name) = match (&upstream.server_ref, &upstream.service_ref) {
            (Some(server), _) => {
                let kind = match server.group {
                    ServerGroup::Mcpfleet => TargetKind::Server,
                    ServerGroup::Lifecycle => TargetKind::Lifecycle,
                };
                (&server.namespace, kind, &server.name)
            }
            (None, Some(service)) => (&service.namespace, TargetKind::Service, &service.name),
            (None, None) => return None,
        };
        Some(Self::new(namespace.as_deref().unwrap_or(home), kind, name))
    }

    /// Everything that a server's upstreams name.
    pub fn all_of(server: &McpServer) -> impl Iterator<Item = Self> {
        let home = server.namespace().unwrap_or_else(|| "default".into());
        server.spec.upstreams.iter().filter_map(move |upstream| Self::of(upstream, &home))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.kind(), self.namespace, self.name)
    }
}
