//! How the kubelet judges a runtime. Liveness asks the process alone: a dependency that is down must never
//! restart pods. Readiness stands for a handshake through the pod's own data listener.

use k8s_openapi::{
    api::core::v1::{HTTPGetAction, Probe},
    apimachinery::pkg::util::intstr::IntOrString,
};

/// A minute to hold a first valid configuration.
pub(super) fn startup() -> Probe {
    probe("/startupz", 1, 60)
}

/// Out of the Service after 4 s.
pub(super) fn readiness() -> Probe {
    probe("/readyz", 2, 2)
}

/// Restarted after a minute of a hung process.
pub(super) fn liveness() -> Probe {
    Probe { timeout_seconds: Some(5), ..probe("/livez", 10, 6) }
}

fn probe(path: &str, period_seconds: i32, failure_threshold: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.into()),
            port: IntOrString::String("admin".into()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_seconds),
        failure_threshold: Some(failure_threshold),
        timeout_seconds: Some(2),
        ..Probe::default()
    }
}
