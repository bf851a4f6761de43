//! Every metric, registered once. Base units; labels come from the configuration or from closed sets, never from a
//! client.

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text},
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};
use std::{fmt, fmt::Write};

/// Upper bounds in s: from a static tool to the longest timeouts that are usual.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// The metrics of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(super) calls: Family<CallLabels, Counter>,
    pub(super) durations: Family<ToolLabels, Histogram, Seconds>,
    queued: Family<ServerLabels, Gauge>,
    in_flight: Family<ServerLabels, Gauge>,
    waits: Family<ServerLabels, Histogram, Seconds>,
    config: Family<ConfigLabels, Gauge>,
    reloads: Family<OutcomeLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    pub(super) upstreams: Family<UpstreamLabels, Gauge>,
    pub(super) withheld: Family<UpstreamLabels, Gauge>,
    stores: Family<ServerLabels, Gauge>,
    ready: Gauge,
    operator: Gauge,
}

/// Handles of one server's queue.
#[derive(Clone, Debug)]
pub struct AdmissionMetrics {
    /// Calls that run.
    pub in_flight: Gauge,
    /// Calls that wait.
    pub queued: Gauge,
    /// How long they waited, in s.
    pub wait: Histogram,
}

impl Default for AdmissionMetrics {
    fn default() -> Self {
        Self { in_flight: Gauge::default(), queued: Gauge::default(), wait: Seconds.new_metric() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub(super) server: String,
    pub(super) tool: String,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ToolLabels {
    pub(super) server: String,
    pub(super) tool: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServerLabels {
    server: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConfigLabels {
    server: String,
    hash: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: HttpRoute,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct UpstreamLabels {
    pub(super) server: String,
    pub(super) upstream: String,
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpRoute {
    /// MCP.
    Mcp,
    /// HTTP+SSE at its own path.
    Sse,
    /// `/v1/chat/completions`.
    ChatCompletions,
    /// `/v1/models`.
    Models,
    /// `/registry`.
    Registry,
    /// Metadata of the resource that a server is to OAuth clients.
    ResourceMetadata,
    /// Anything else.
    Unknown,
}

impl EncodeLabelValue for HttpRoute {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Mcp => "mcp",
            Self::Sse => "sse",
            Self::ChatCompletions => "chat_completions",
            Self::Models => "models",
            Self::Registry => "registry",
            Self::ResourceMetadata => "resource_metadata",
            Self::Unknown => "unknown",
        })
    }
}

/// Makes histograms of seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(SECONDS)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            calls: Family::default(),
            durations: Family::new_with_constructor(Seconds),
            queued: Family::default(),
            in_flight: Family::default(),
            waits: Family::new_with_constructor(Seconds),
            config: Family::default(),
            reloads: Family::default(),
            requests: Family::default(),
            upstreams: Family::default(),
            stores: Family::default(),
            withheld: Family::default(),
            ready: Gauge::default(),
            operator: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("mcpfleet_calls", "Calls by tool and outcome", self.calls.clone());
        registry.register_with_unit(
            "mcpfleet_call_duration",
            "From admission's queue to the result",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register("mcpfleet_queue_depth", "Calls that wait for admission", self.queued.clone());
        registry.register("mcpfleet_calls_in_flight", "Calls that hold a permit", self.in_flight.clone());
        registry.register_with_unit(
            "mcpfleet_queue_wait",
            "How long calls waited for admission",
            Unit::Seconds,
            self.waits.clone(),
        );
        registry.register(
            "mcpfleet_config_info",
            "1 for the configuration that is served",
            self.config.clone(),
        );
        registry.register("mcpfleet_config_reloads", "Configurations taken or refused", self.reloads.clone());
        registry.register("mcpfleet_http_requests", "Requests on the data listener", self.requests.clone());
        registry.register(
            "mcpfleet_upstream_connected",
            "1 while the upstream's tools can be called",
            self.upstreams.clone(),
        );
        registry.register(
            "mcpfleet_store_up",
            "1 while the store that replicas share serves",
            self.stores.clone(),
        );
        registry.register(
            "mcpfleet_upstream_withheld_tools",
            "Tools that are kept back because they are not what was approved",
            self.withheld.clone(),
        );
        registry.register("mcpfleet_ready", "1 while the last readiness verdict is yes", self.ready.clone());
        registry.register(
            "mcpfleet_operator_connected",
            "1 while the stream to the operator is open",
            self.operator.clone(),
        );
    }

    /// The text that Prometheus scrapes (`OpenMetrics` 1.0).
    pub fn render(&self) -> String {
        let mut out = String::new();
        match text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            // Writing to a String does not fail.
            Err(fmt::Error) => String::new(),
        }
    }

    /// Handles of a server's queue.
    pub fn admission(&self, server: &str) -> AdmissionMetrics {
        let labels = ServerLabels { server: server.to_owned() };
        AdmissionMetrics {
            in_flight: self.in_flight.get_or_create_owned(&labels),
            queued: self.queued.get_or_create_owned(&labels),
            wait: self.waits.get_or_create_owned(&labels),
        }
    }

    /// A server's configuration changed; `None` when there was or is none.
    pub fn config_changed(&self, server: &str, from: Option<&str>, to: Option<&str>) {
        let labels = |hash: &str| ConfigLabels { server: server.to_owned(), hash: hash.to_owned() };
        if let Some(from) = from {
            self.config.remove(&labels(from));
        }
        if let Some(to) = to {
            self.config.get_or_create(&labels(to)).set(1);
        }
    }

    /// A configuration was taken (`accepted`) or refused (`rejected`).
    pub fn reloaded(&self, outcome: &'static str) {
        self.reloads.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// A request was answered.
    pub fn answered(&self, route: HttpRoute, code: u16) {
        self.requests.get_or_create(&RequestLabels { route, code }).inc();
    }

    /// Whether a server's store serves; `None` when it has none.
    pub fn store(&self, server: &str, up: Option<bool>) {
        let labels = ServerLabels { server: server.to_owned() };
        match up {
            Some(up) => {
                self.stores.get_or_create(&labels).set(up.into());
            }
            None => {
                self.stores.remove(&labels);
            }
        }
    }

    /// The last readiness verdict.
    pub fn set_ready(&self, ready: bool) {
        self.ready.set(ready.into());
    }

    /// Whether the stream to the operator is open.
    pub fn operator_connected(&self, connected: bool) {
        self.operator.set(connected.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_what_dashboards_ask_for() {
        let metrics = Metrics::default();
        metrics.answered(HttpRoute::Mcp, 200);
        metrics.config_changed("a/b", None, Some("h1"));
        metrics.config_changed("a/b", Some("h1"), Some("h2"));
        metrics.admission("a/b").wait.observe(0.1);
        let text = metrics.render();
        assert!(text.contains("mcpfleet_http_requests_total{route=\"mcp\",code=\"200\"} 1"), "{text}");
        assert!(text.contains("mcpfleet_config_info{server=\"a/b\",hash=\"h2\"} 1"), "{text}");
        assert!(!text.contains("h1"), "{text}");
        assert!(text.contains("mcpfleet_queue_wait_seconds_bucket{"), "{text}");
    }
}
