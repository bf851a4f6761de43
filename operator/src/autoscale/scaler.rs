//! The native scaler: reads what pods report, writes `/scale`, has pods drain. Only while it leads.

use super::{
    History, Policy, Reason, Recommendation, TICK,
    act::{Act, Pod, acts},
    recommend,
};
use crate::{
    children::FIELD_MANAGER,
    context::Context,
    world::{Key, Touched},
};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use mcpfleet_crds::{
    compile::{Kind, Scaling},
    v1alpha1::McpServer,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Signals may be missing this long before it is said.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether a server is being scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It is.
    Active,
    /// `spec.replicas` is 0: it was stopped by hand.
    Stopped,
    /// Too few of its pods report their load; the number stays.
    Frozen,
}

/// The servers that are scaled.
#[derive(Debug, Default)]
pub struct Autoscaler {
    servers: Mutex<HashMap<Key, Scaled>>,
}

#[derive(Debug)]
struct Scaled {
    history: History,
    activity: Activity,
    frozen_since: Option<Instant>,
}

/// Runs until it is dropped.
pub async fn run(context: Arc<Context>) {
    let started = Instant::now();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let servers = scaled_servers(&context);
        for stopped in context.autoscaler.keep_only(&servers.iter().map(|(key, ..)| key).collect()) {
            // Nobody takes their pods any more.
            context.fleet.serve_all(&stopped);
        }
        for (key, server, scaling) in servers {
            tick(&context, &key, &server, scaling, started.elapsed()).await;
        }
    }
}

fn scaled_servers(context: &Context) -> Vec<(Key, Arc<McpServer>, Scaling)> {
    let keys = context.world.objects.keys::<McpServer>();
    let scaled = keys.into_iter().filter_map(|key| {
        let server = context.world.objects.get::<McpServer>(&key)?;
        server.spec.autoscaling.as_ref()?;
        if server.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let scaling = context.compile(&key)?.product.as_ref()?.scaling?;
        Some((key, server, scaling))
    });
    scaled.collect()
}

async fn tick(context: &Context, key: &Key, server: &McpServer, scaling: Scaling, now: Duration) {
    let replicas = u32::try_from(server.spec.replicas).unwrap_or_default();
    let pods = pods(context, key);
    // One that is starting is not expected to say anything yet.
    let expected = pods.iter().filter(|pod| pod.ready || pod.signals.is_some());
    let observed: Vec<_> = expected.map(|pod| (pod.uid.clone(), pod.signals)).collect();
    let policy = Policy::from(scaling);
    let made = context.autoscaler.observe(key, now, &observed, &policy, replicas);
    if made.news {
        context.enqueue(Touched::only(Kind::McpServer, key.clone()));
    }
    if made.activity != Activity::Active || made.recommendation.reason == Reason::Frozen {
        return;
    }
    for act in acts(made.recommendation.replicas, replicas, &pods) {
        carry_out(context, key, server, &act, &made.recommendation).await;
    }
}

fn pods(context: &Context, key: &Key) -> Vec<Pod> {
    let endpoints = context.world.endpoints(key);
    let signals = context.fleet.signals(key, &endpoints);
    signals
        .into_iter()
        .map(|(endpoint, signals)| Pod {
            uid: endpoint.uid,
            name: endpoint.pod,
            ready: endpoint.ready,
            signals,
        })
        .collect()
}

async fn carry_out(context: &Context, key: &Key, server: &McpServer, act: &Act, why: &Recommendation) {
    match act {
        Act::Serve(uid, serving) => {
            tracing::info!(server = %key, uid, ?serving, "a pod is told what to be");
            context.fleet.serve(key, uid, *serving);
        }
        Act::Scale(to) => match scale(context, key, server.spec.replicas, *to).await {
            Ok(()) => {
                tracing::info!(server = %key, from = server.spec.replicas, to, reason = why.message, "scaled");
                context.events.scaled(server, server.spec.replicas, *to, &why.message).await;
            }
            Err(error) => tracing::warn!(server = %key, to, %error, "cannot be scaled; tried again"),
        },
    }
}

/// Writes `/scale`, unless somebody else has written it meanwhile.
async fn scale(context: &Context, key: &Key, from: i32, to: u32) -> Result<(), kube::Error> {
    let api: Api<McpServer> = Api::namespaced(context.client.clone(), &key.namespace);
    let patch: json_patch::Patch = serde_json::from_value(serde_json::json!([
        {"op": "test", "path": "/spec/replicas", "value": from},
        {"op": "replace", "path": "/spec/replicas", "value": to},
    ]))
    .map_err(kube::Error::SerdeError)?;
    let params =
        PatchParams { field_manager: Some(format!("{FIELD_MANAGER}-scaler")), ..PatchParams::default() };
    api.patch_scale(&key.name, &params, &Patch::Json::<()>(patch)).await.map(drop)
}

/// What came of one look.
struct Made {
    recommendation: Recommendation,
    activity: Activity,
    news: bool,
}

impl Autoscaler {
    /// Whether a server is being scaled; `None` when that was not asked for, or not looked at yet.
    pub fn activity(&self, server: &Key) -> Option<Activity> {
        self.servers().get(server).map(|scaled| scaled.activity)
    }

    fn observe(
        &self,
        server: &Key,
        now: Duration,
        pods: &[(String, Option<mcpfleet_config::stream::Signals>)],
        policy: &Policy,
        replicas: u32,
    ) -> Made {
        let mut servers = self.servers();
        let known = servers.contains_key(server);
        let scaled = servers.entry(server.clone()).or_insert_with(|| Scaled {
            history: History::default(),
            activity: Activity::Active,
            frozen_since: None,
        });
        scaled.history.observe(now, pods);
        let recommendation = recommend(&mut scaled.history, policy, now, replicas);
        let frozen = replicas > 0 && recommendation.reason == Reason::Frozen;
        scaled.frozen_since =
            if frozen { scaled.frozen_since.or_else(|| Some(Instant::now())) } else { None };
        let long = scaled.frozen_since.is_some_and(|since| since.elapsed() >= PATIENCE);
        let activity = match (replicas, long) {
            (0, _) => Activity::Stopped,
            (_, true) => Activity::Frozen,
            _ => Activity::Active,
        };
        let news = !known || scaled.activity != activity;
        scaled.activity = activity;
        Made { recommendation, activity, news }
    }

    /// Returns the servers that are scaled no longer.
    fn keep_only(&self, servers: &HashSet<&Key>) -> Vec<Key> {
        let mut known = self.servers();
        let stopped: Vec<Key> = known.keys().filter(|key| !servers.contains(key)).cloned().collect();
        known.retain(|key, _| servers.contains(key));
        stopped
    }

    fn servers(&self) -> MutexGuard<'_, HashMap<Key, Scaled>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
