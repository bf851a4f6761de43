//! Looking: everything that a decision about one server rests on, from the stores.

use crate::{
    autoscale::Activity,
    context::Context,
    fleet::{Answers, Config, Summary},
    world::{Compilation, Key, Seen},
};
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use mcpfleet_config::ConfigHash;
use mcpfleet_crds::{compile::Bridge, v1alpha1::McpServer};
use std::sync::Arc;

/// One server as it is.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The resource.
    pub server: Arc<McpServer>,
    /// What it compiles to.
    pub compilation: Arc<Compilation>,
    /// What it owns, as far as our labels are on it.
    pub children: Vec<Seen>,
    /// Its workload.
    pub deployment: Option<Arc<Deployment>>,
    /// Workloads of its upstreams that are programs.
    pub bridges: Vec<Arc<Deployment>>,
    /// The configuration that a runtime has accepted last; `None` while the first one is a candidate.
    pub accepted: Option<Config>,
    /// Whether it is being scaled; `None` when that is not asked for.
    pub scaling: Option<Activity>,
    /// What its pods said last; `None` before they had time to connect.
    pub answers: Option<Answers>,
}

/// `None` when there is no such server.
pub(super) fn observe(context: &Context, key: &Key) -> Option<Observed> {
    let server = context.world.objects.get::<McpServer>(key)?;
    let compilation = context.compile(key)?;
    Some(Observed {
        server,
        compilation,
        children: context.world.children.of(key),
        deployment: context.world.children.deployment(key),
        bridges: context.world.children.bridges(key),
        answers: context.fleet.answers(key, &context.world.endpoints(key)),
        accepted: context.fleet.accepted(key),
        scaling: context.autoscaler.activity(key),
    })
}

impl Observed {
    /// Identity of the server, in owner references.
    pub fn uid(&self) -> &str {
        self.server.metadata.uid.as_deref().unwrap_or_default()
    }

    /// What new pods are to start with.
    pub fn accepted_hash(&self) -> Option<ConfigHash> {
        self.accepted.as_ref().map(|accepted| accepted.hash().clone())
    }

    /// The answers of its pods, seen from the wanted configuration.
    pub fn summary(&self) -> Summary {
        match (&self.compilation.product, &self.answers) {
            (Some(product), Some(answers)) => {
                let accepted = self.accepted.as_ref().map(Config::hash);
                Summary::of(answers, &product.encoded.hash, accepted)
            }
            _ => Summary::default(),
        }
    }

    /// How far the Deployment is.
    pub fn rollout(&self) -> Rollout {
        let draining = i32::try_from(self.summary().draining).unwrap_or_default();
        Rollout::of(self.deployment.as_deref(), self.server.spec.replicas, draining)
    }

    /// How far the Deployment of a program is.
    pub fn bridge_rollout(&self, bridge: &Bridge) -> Rollout {
        let found = self.bridges.iter().find(|deployment| deployment.name_any() == bridge.name);
        Rollout::of(found.map(Arc::as_ref), self.server.spec.replicas.min(1), 0)
    }
}

/// How far a Deployment is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    /// Pods that exist.
    pub replicas: i32,
    /// Pods that are Ready.
    pub ready: i32,
    /// Pods made from the current template.
    pub updated: i32,
    /// Pods that are wanted.
    pub wanted: i32,
    /// Every pod is current, available, and none is too many.
    pub complete: bool,
    /// It made no progress for longer than it may.
    pub stuck: bool,
}

impl Rollout {
    fn of(deployment: Option<&Deployment>, wanted: i32, draining: i32) -> Self {
        let Some(deployment) = deployment else { return Self { wanted, ..Self::default() } };
        let status = deployment.status.clone().unwrap_or_default();
        let count = |number: Option<i32>| number.unwrap_or_default();
        let seen = status.observed_generation.unwrap_or_default()
            >= deployment.metadata.generation.unwrap_or_default();
        let replicas = count(status.replicas);
        let updated = count(status.updated_replicas);
        // A pod that drains is not available, and is not meant to be.
        let available = count(status.available_replicas).saturating_add(draining) >= wanted;
        let complete = seen && available && [replicas, updated].iter().all(|n| *n == wanted);
        let progressing =
            status.conditions.iter().flatten().find(|condition| condition.type_ == "Progressing");
        let stuck = seen && progressing.is_some_and(|condition| condition.status == "False");
        Self { replicas, ready: count(status.ready_replicas), updated, wanted, complete, stuck }
    }
}
