//! The workload. Its replica count is copied from the McpServer, never read back: `/scale` of the McpServer
//! is the one place that scalers write. A rollout takes no pod away before its successor is Ready.

use super::{Blueprint, metadata, pod, selector};
use k8s_openapi::{
    api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
    apimachinery::pkg::util::intstr::IntOrString,
};

/// How long a new pod must stay Ready before the next old one goes, in seconds.
const MIN_READY_SECONDS: i32 = 5;

pub(super) fn build(blueprint: &Blueprint<'_>) -> Deployment {
    let server = blueprint.server;
    Deployment {
        metadata: metadata(server),
        spec: Some(DeploymentSpec {
            replicas: Some(server.spec.replicas),
            selector: selector(server),
            min_ready_seconds: Some(MIN_READY_SECONDS),
            revision_history_limit: Some(3),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".into()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::String("25%".into())),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            template: pod::build(blueprint),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}
