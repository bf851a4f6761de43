//! The servers of this process, by name: one in a pod, any number standalone.

use crate::server::Server;
use arc_swap::{ArcSwap, ArcSwapOption};
use mcpfleet_config::status::Rejected;
use std::{collections::BTreeMap, sync::Arc};

/// Where the registry is.
pub const REGISTRY: &str = "/registry";
/// Where clients of the MCP registry look for its list, when `/registry` is their base URL.
pub const REGISTRY_V0: &str = "/registry/v0.1/servers";

/// All servers. Readers take a consistent view without waiting.
#[derive(Debug, Default)]
pub struct Fleet {
    servers: ArcSwap<BTreeMap<String, Arc<Server>>>,
    refused: ArcSwapOption<Rejected>,
}

/// Which server a path speaks of, and what is left of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// `namespace/name`; `None` for the only one.
    pub server: Option<&'a str>,
    /// From its last `/` that belongs to the endpoint, such as `/mcp`.
    pub endpoint: &'a str,
}

impl Fleet {
    /// Every server, by `namespace/name`.
    pub fn all(&self) -> Arc<BTreeMap<String, Arc<Server>>> {
        self.servers.load_full()
    }

    /// Replaces the set. Notification streams of servers that are no longer in it end.
    pub fn replace(&self, servers: BTreeMap<String, Arc<Server>>) {
        let servers = Arc::new(servers);
        let before = self.servers.swap(servers.clone());
        let gone = before.iter().filter(|(name, _)| !servers.contains_key(*name));
        gone.for_each(|(_, server)| server.streams.drain());
    }

    /// What was read last and refused whole, when it was.
    pub fn refused(&self) -> Option<Rejected> {
        self.refused.load().as_deref().cloned()
    }

    /// Notes what came of the last read.
    pub fn set_refused(&self, refused: Option<Rejected>) {
        self.refused.store(refused.map(Arc::new));
    }

    /// The server that a path speaks of.
    pub fn find(&self, address: Address<'_>) -> Option<Arc<Server>> {
        let servers = self.servers.load();
        match address.server {
            Some(name) => servers.get(name).cloned(),
            None if servers.len() == 1 => servers.values().next().cloned(),
            None => None,
        }
    }
}

impl<'a> Address<'a> {
    /// Reads `/mcp`, `/sse`, `/registry`, `/v1/...`, and the same behind `/{namespace}/{name}`.
    pub fn read(path: &'a str) -> Self {
        if matches!(path, "/mcp" | "/sse" | REGISTRY | REGISTRY_V0) || path.starts_with("/v1/") {
            return Self { server: None, endpoint: path };
        }
        let inner = path.strip_prefix('/').unwrap_or(path);
        let second = inner.match_indices('/').nth(1).map(|(at, _)| at);
        match second.map(|at| inner.split_at(at)) {
            Some((server, endpoint)) => Self { server: Some(server), endpoint },
            None => Self { server: None, endpoint: path },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> (Option<&str>, &str) {
        let Address { server, endpoint } = Address::read(path);
        (server, endpoint)
    }

    #[test]
    fn short_and_full_paths_are_told_apart() {
        assert_eq!(read("/mcp"), (None, "/mcp"));
        assert_eq!(read("/v1/chat/completions"), (None, "/v1/chat/completions"));
        assert_eq!(read("/registry/v0.1/servers"), (None, "/registry/v0.1/servers"));
        assert_eq!(read("/agents/support/registry"), (Some("agents/support"), "/registry"));
        assert_eq!(read("/agents/support/mcp"), (Some("agents/support"), "/mcp"));
        assert_eq!(read("/agents/support/v1/models"), (Some("agents/support"), "/v1/models"));
        for odd in ["", "/", "//", "/a", "/a/", "///", "mcp"] {
            assert_ne!(read(odd).1, "/mcp", "{odd}");
        }
    }
}
