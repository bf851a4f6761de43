//! Flags, each also an environment variable. Everything else that users decide stands in custom resources.

use crate::children::Defaults;
use clap::{Parser, ValueEnum};
use std::{net::SocketAddr, time::Duration};

/// Runs MCP servers declared as McpServer, McpTool and ProviderRoute.
#[derive(Clone, Debug, Parser)]
#[command(name = "mcpfleet-operator", version)]
pub struct Settings {
    /// Image of mcp-runtime for servers that name none.
    #[arg(long, env = "MCPFLEET_RUNTIME_IMAGE")]
    pub runtime_image: String,
    /// When nodes pull that image.
    #[arg(long, env = "MCPFLEET_RUNTIME_IMAGE_PULL_POLICY", default_value = "IfNotPresent")]
    pub runtime_image_pull_policy: PullPolicy,
    /// Namespace of the operator itself: of its lease, and the one that may reach admin ports of runtimes.
    #[arg(long, env = "MCPFLEET_NAMESPACE", default_value = "mcpfleet-system")]
    pub namespace: String,
    /// Namespaces to work in, separated by commas; empty: all.
    #[arg(long, env = "MCPFLEET_WATCH_NAMESPACES", value_delimiter = ',')]
    pub watch_namespaces: Vec<String>,
    /// Identity in the leader election: the name of the pod.
    #[arg(long, env = "MCPFLEET_POD_NAME")]
    pub pod_name: String,
    /// Address of /metrics, /healthz and /readyz.
    #[arg(long, env = "MCPFLEET_METRICS_LISTEN", default_value = "0.0.0.0:8080")]
    pub metrics_listen: SocketAddr,
    /// Objects of one kind that are reconciled at once.
    #[arg(long, env = "MCPFLEET_CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// What is logged: a level, or directives such as `info,kube=debug`.
    #[arg(long, env = "MCPFLEET_LOG", default_value = "info")]
    pub log: String,
}

/// When a node pulls an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

impl PullPolicy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

impl Settings {
    /// What children are built from.
    pub fn defaults(&self) -> Defaults {
        Defaults {
            runtime_image: self.runtime_image.clone(),
            image_pull_policy: self.runtime_image_pull_policy.as_str().into(),
            operator_namespace: self.namespace.clone(),
        }
    }

    /// Namespaces to watch; `None` stands for all.
    pub fn scopes(&self) -> Vec<Option<String>> {
        let named: Vec<_> =
            self.watch_namespaces.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        if named.is_empty() { vec![None] } else { named.into_iter().map(|name| Some(name.into())).collect() }
    }
}

/// Lifetime of the lease without renewal.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);
/// The holder renews this long before the end.
pub const LEASE_GRACE: Duration = Duration::from_secs(10);
/// The holder stops writing this long before others may take over.
pub const FENCE_MARGIN: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Settings {
        let base = ["mcpfleet-operator", "--runtime-image", "r:1", "--pod-name", "p"];
        Settings::try_parse_from(base.iter().chain(args)).unwrap()
    }

    #[test]
    fn no_namespace_means_all() {
        assert_eq!(parse(&[]).scopes(), [None]);
        assert_eq!(parse(&["--watch-namespaces", ""]).scopes(), [None]);
        assert_eq!(parse(&["--watch-namespaces", "a, b"]).scopes(), [Some("a".into()), Some("b".into())]);
    }
}
