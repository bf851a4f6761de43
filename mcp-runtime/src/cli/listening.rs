//! Where a process listens, and how it stops: arguments of every command that serves.

use mcpfleet_crds::v1alpha1::DurationString;
use std::{net::SocketAddr, time::Duration};

/// Arguments of the command.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Listening {
    /// Where clients connect.
    #[arg(long, env = "MCPFLEET_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// Where probes, metrics and status are.
    #[arg(long, env = "MCPFLEET_ADMIN", value_name = "ADDR", default_value = "127.0.0.1:9090")]
    pub(super) admin: SocketAddr,
    /// How long calls in flight may go on after SIGTERM.
    #[arg(long, env = "MCPFLEET_DRAIN_TIMEOUT", value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(super) drain_timeout: Duration,
    /// Connections at once; more wait to be accepted.
    #[arg(long, env = "MCPFLEET_MAX_CONNECTIONS", value_name = "N", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) max_connections: u32,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    DurationString::from(text).to_millis().map(Duration::from_millis).map_err(|error| error.to_string())
}
