//! Counting and timing calls of one tool. Handles are looked up once per snapshot, not once per call.

use super::metrics::{CallLabels, Metrics, ToolLabels};
use crate::call::{CallError, Outcome};
use prometheus_client::metrics::{counter::Counter, histogram::Histogram};
use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

/// Tool label of calls whose tool is in no catalogue.
pub const OTHER: &str = "other";

/// Tool label of model calls. No tool can have this name.
pub const MODELS: &str = "/v1/chat/completions";

/// Everything that a call can come to. Series are made when an outcome first happens.
const OUTCOMES: [&str; 9] = [
    "ok",
    "tool_error",
    "cancelled",
    "unknown_tool",
    "invalid_arguments",
    "busy",
    "timeout",
    "unavailable",
    "upstream",
];

/// Handles of one tool of one server.
#[derive(Debug)]
pub struct ToolMetrics {
    metrics: Arc<Metrics>,
    labels: ToolLabels,
    calls: [OnceLock<Counter>; OUTCOMES.len()],
    duration: OnceLock<Histogram>,
}

impl ToolMetrics {
    /// Handles for `tool`, which must come from a catalogue or be [`OTHER`].
    pub fn new(metrics: &Arc<Metrics>, server: &str, tool: &str) -> Self {
        Self {
            metrics: metrics.clone(),
            labels: ToolLabels { server: server.to_owned(), tool: tool.to_owned() },
            calls: Default::default(),
            duration: OnceLock::new(),
        }
    }

    /// A call begins.
    pub fn start(self: &Arc<Self>) -> CallTimer {
        CallTimer { tool: self.clone(), started: Instant::now(), outcome: "cancelled" }
    }

    /// Removes the series of a tool that is gone, so that a catalogue that keeps changing does not grow them.
    pub fn forget(&self) {
        let ToolLabels { server, tool } = &self.labels;
        for outcome in OUTCOMES {
            self.metrics.calls.remove(&CallLabels { server: server.clone(), tool: tool.clone(), outcome });
        }
        self.metrics.durations.remove(&self.labels);
    }

    fn count(&self, outcome: &'static str) {
        let at = OUTCOMES.iter().position(|known| *known == outcome).unwrap_or_default();
        let make = || {
            let ToolLabels { server, tool } = self.labels.clone();
            self.metrics.calls.get_or_create_owned(&CallLabels { server, tool, outcome })
        };
        if let Some(slot) = self.calls.get(at) {
            slot.get_or_init(make).inc();
        }
    }
}

/// Measures one call. One that is dropped before it is finished counts as cancelled.
#[derive(Debug)]
pub struct CallTimer {
    tool: Arc<ToolMetrics>,
    started: Instant,
    outcome: &'static str,
}

impl CallTimer {
    /// The call is done.
    pub fn finish(mut self, result: &Result<Outcome, CallError>) {
        self.outcome = match result {
            Ok(Outcome::Made(result)) if result.is_error => "tool_error",
            Ok(_) => "ok",
            Err(error) => error.label(),
        };
    }

    /// The call is done, and a word of the table says how.
    pub fn finish_as(mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

impl Drop for CallTimer {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let ToolLabels { server, tool } = &self.tool.labels;
        let (outcome, ms) = (self.outcome, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        // What a client or a tool got wrong is no operator's warning, and a client could write one per request.
        if matches!(outcome, "busy" | "timeout" | "unavailable" | "upstream") {
            tracing::warn!(server, tool, outcome, ms, "call");
        } else {
            tracing::debug!(server, tool, outcome, ms, "call");
        }
        self.tool.count(outcome);
        let make = || self.tool.metrics.durations.get_or_create_owned(&self.tool.labels);
        self.tool.duration.get_or_init(make).observe(took.as_secs_f64());
    }
}
