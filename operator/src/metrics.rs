//! The operator's own metrics. Labels come from closed sets (kinds, verbs, reasons), never from object names.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::{fmt, time::Duration};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    controller: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Controller {
    controller: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Failure {
    controller: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ApiRequest {
    verb: &'static str,
    resource: String,
    code: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// All metrics, and the registry that writes them.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Outcome, Counter>,
    duration: Family<Controller, Histogram>,
    errors: Family<Failure, Counter>,
    queue: Family<Controller, Gauge>,
    requests: Family<ApiRequest, Counter>,
    leader: Gauge,
    objects: Family<Kind, Gauge>,
    malformed: Family<Kind, Counter>,
    streams: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("mcpfleet_operator"),
            reconciles: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.000_5, 2.0, 16))),
            errors: Family::default(),
            queue: Family::default(),
            requests: Family::default(),
            leader: Gauge::default(),
            objects: Family::default(),
            malformed: Family::default(),
            streams: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("reconciles", "Reconciles that ended", self.reconciles.clone());
        registry.register(
            "reconcile_duration_seconds",
            "Time of a reconcile in seconds",
            self.duration.clone(),
        );
        registry.register("errors", "Reconciles that failed, by reason", self.errors.clone());
        registry.register("queue_depth", "Objects that wait for their reconcile", self.queue.clone());
        registry.register("api_requests", "Requests to the API server", self.requests.clone());
        registry.register("leader", "1 while this replica leads", self.leader.clone());
        registry.register("managed_objects", "Custom resources that are watched", self.objects.clone());
        registry.register("malformed_objects", "Objects seen that cannot be read", self.malformed.clone());
        registry.register("runtime_streams", "Runtimes that are connected", self.streams.clone());
    }

    /// In the `OpenMetrics` text format.
    ///
    /// # Errors
    /// None in practice: it writes to memory.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// A reconcile ended; `failure` names why it failed.
    pub fn reconciled(&self, controller: &'static str, took: Duration, failure: Option<&'static str>) {
        let outcome = if failure.is_some() { "error" } else { "success" };
        self.reconciles.get_or_create(&Outcome { controller, outcome }).inc();
        self.duration.get_or_create(&Controller { controller }).observe(took.as_secs_f64());
        if let Some(reason) = failure {
            self.errors.get_or_create(&Failure { controller, reason }).inc();
        }
    }

    /// Objects that wait now.
    pub fn set_queue_depth(&self, controller: &'static str, depth: usize) {
        self.queue.get_or_create(&Controller { controller }).set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// A request to the API server was answered.
    pub fn count_request(&self, verb: &'static str, resource: &str, code: &str) {
        self.requests.get_or_create(&ApiRequest { verb, resource: resource.into(), code: code.into() }).inc();
    }

    /// This replica leads from now on, or no longer.
    pub fn set_leading(&self, leading: bool) {
        self.leader.set(i64::from(leading));
    }

    /// Objects of a kind that are known now.
    pub fn set_objects(&self, kind: &'static str, count: usize) {
        self.objects.get_or_create(&Kind { kind }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// An object that cannot be read was seen.
    pub fn count_malformed(&self, kind: &'static str) {
        self.malformed.get_or_create(&Kind { kind }).inc();
    }

    /// A runtime has dialled; it counts until the answer is dropped.
    pub fn count_stream(&self) -> Streaming {
        self.streams.inc();
        Streaming(self.streams.clone())
    }
}

/// One stream that is open.
#[derive(Debug)]
pub struct Streaming(Gauge);

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.dec();
    }
}
