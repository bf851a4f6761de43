//! What is measured of upstreams.

use super::metrics::{Metrics, UpstreamLabels};
use mcpfleet_config::status::{UpstreamState, UpstreamStatus};

impl Metrics {
    /// The states of a server's upstreams; `before` are those that were told last.
    pub fn upstreams(&self, server: &str, before: &[UpstreamStatus], now: &[UpstreamStatus]) {
        let labels = |name: &str| UpstreamLabels { server: server.to_owned(), upstream: name.to_owned() };
        for gone in before.iter().filter(|old| !now.iter().any(|new| new.name == old.name)) {
            self.upstreams.remove(&labels(&gone.name));
            self.withheld.remove(&labels(&gone.name));
        }
        for upstream in now {
            let connected = upstream.state == UpstreamState::Connected;
            self.upstreams.get_or_create(&labels(&upstream.name)).set(connected.into());
            self.withheld.get_or_create(&labels(&upstream.name)).set(upstream.withheld_count.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_come_and_go_with_upstreams() {
        let metrics = Metrics::default();
        let status = UpstreamStatus {
            name: "crm".into(),
            state: UpstreamState::Connected,
            withheld_count: 3,
            ..UpstreamStatus::default()
        };
        metrics.upstreams("a/b", &[], std::slice::from_ref(&status));
        let text = metrics.render();
        for line in [
            "mcpfleet_upstream_connected{server=\"a/b\",upstream=\"crm\"} 1",
            "mcpfleet_upstream_withheld_tools{server=\"a/b\",upstream=\"crm\"} 3",
        ] {
            assert!(text.contains(line), "{text}");
        }
        metrics.upstreams("a/b", &[status], &[]);
        assert!(!metrics.render().contains("crm"));
    }
}
