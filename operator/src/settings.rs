//! Flags, each also an environment variable. Everything else that users decide stands in custom resources.

use crate::children::Defaults;
use clap::{Parser, ValueEnum};
use mcpfleet_crds::compile::Sight;
use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

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
    /// Namespace of the operator itself: of its lease, its CA, its session keys and its Service.
    #[arg(long, env = "MCPFLEET_NAMESPACE", default_value = "mcpfleet-system")]
    pub namespace: String,
    /// Namespaces to work in, separated by commas; empty: all.
    #[arg(long, env = "MCPFLEET_WATCH_NAMESPACES", value_delimiter = ',')]
    pub watch_namespaces: Vec<String>,
    /// Name of the pod, for the leader election.
    #[arg(long, env = "MCPFLEET_POD_NAME")]
    pub pod_name: String,
    /// Address of the pod: where replicas that do not lead send runtimes when this one leads.
    #[arg(long, env = "MCPFLEET_POD_IP")]
    pub pod_ip: IpAddr,
    /// Address of the port that runtimes dial.
    #[arg(long, env = "MCPFLEET_FLEET_LISTEN", default_value = "0.0.0.0:8443")]
    pub fleet_listen: SocketAddr,
    /// Name of the operator's Service, by which runtimes find that port and verify its certificate.
    #[arg(long, env = "MCPFLEET_FLEET_SERVICE", default_value = "mcpfleet-operator")]
    pub fleet_service: String,
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
            operator_url: format!("https://{}:{}", self.service_host(), self.fleet_listen.port()),
        }
    }

    /// The operator's Service, as runtimes name it.
    pub fn service_host(&self) -> String {
        format!("{}.{}.svc", self.fleet_service, self.namespace)
    }

    /// Identity in the leader election: who, and where runtimes reach it.
    pub fn identity(&self) -> String {
        format!("{}_{}", self.pod_name, SocketAddr::new(self.pod_ip, self.fleet_listen.port()))
    }

    /// How much of the cluster is seen.
    pub fn sight(&self) -> Sight {
        let named: Option<BTreeSet<String>> = self.scopes().into_iter().collect();
        named.map_or(Sight::Cluster, Sight::Namespaces)
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
        let base = ["mcpfleet-operator", "--runtime-image", "r:1", "--pod-name", "p", "--pod-ip", "10.0.0.1"];
        Settings::try_parse_from(base.iter().chain(args)).unwrap()
    }

    #[test]
    fn the_identity_says_where_the_leader_is() {
        let identity = parse(&[]).identity();
        assert_eq!(identity, "p_10.0.0.1:8443");
        assert_eq!(crate::leader::address_of(&identity).as_deref(), Some("10.0.0.1:8443"));
    }

    #[test]
    fn no_namespace_means_all() {
        assert_eq!(parse(&[]).scopes(), [None]);
        assert_eq!(parse(&["--watch-namespaces", ""]).scopes(), [None]);
        assert_eq!(parse(&[]).sight(), Sight::Cluster);
        let some = parse(&["--watch-namespaces", "a, b"]);
        assert_eq!(some.scopes(), [Some("a".into()), Some("b".into())]);
        assert_eq!(some.sight(), Sight::Namespaces(["a".into(), "b".into()].into()));
    }
}
