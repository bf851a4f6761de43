//! `spec.autoscaling`. It shapes no configuration and no pod: a finding here leaves the server unscaled, and served.

use super::{
    report::{Collector, ObjectKey, Reason},
    server::bounded,
};
use crate::v1alpha1::McpServer;

/// How a server is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// Fewest pods, at least 1.
    pub min_replicas: u32,
    /// Most pods.
    pub max_replicas: u32,
    /// Calls that one pod runs well at once.
    pub concurrency: u32,
    /// How long a call may wait for admission, in ms.
    pub target_queue_wait_ms: u64,
    /// How long fewer pods must have been enough, in ms.
    pub scale_down_delay_ms: u64,
}

/// `None` when it is not scaled, or cannot be.
pub(super) fn compile(server: &McpServer, collector: &mut Collector) -> Option<Scaling> {
    let wanted = server.spec.autoscaling.as_ref()?;
    let concurrency = server.spec.admission.concurrency;
    let mut scope = collector.scope(ObjectKey::server(server));
    let scaling = Scaling {
        min_replicas: bounded(&mut scope, "spec.autoscaling.minReplicas", wanted.min_replicas, 1, 1_000),
        max_replicas: bounded(&mut scope, "spec.autoscaling.maxReplicas", wanted.max_replicas, 1, 1_000),
        concurrency: bounded(
            &mut scope,
            "spec.autoscaling.concurrencyPerReplica",
            wanted.concurrency_per_replica.unwrap_or(concurrency),
            1,
            65_536,
        ),
        target_queue_wait_ms: scope.millis("spec.autoscaling.targetQueueWait", &wanted.target_queue_wait),
        scale_down_delay_ms: scope.millis("spec.autoscaling.scaleDownDelay", &wanted.scale_down_delay),
    };
    if scaling.min_replicas > scaling.max_replicas {
        let message = format!("{} is above maxReplicas {}", scaling.min_replicas, scaling.max_replicas);
        scope.error("spec.autoscaling.minReplicas", Reason::OutOfRange, message, "swap them");
    }
    if i64::from(scaling.concurrency) > i64::from(concurrency) {
        let message = format!("{} is above admission.concurrency {concurrency}", scaling.concurrency);
        let remedy = "lower it, or pods are full before more are made";
        scope.error("spec.autoscaling.concurrencyPerReplica", Reason::OutOfRange, message, remedy);
    }
    scope.clean().then_some(scaling)
}
