//! Puts the parts together: one process, one term of leadership.

use crate::{
    admin::Admin,
    client,
    context::{Context, Queues},
    events::Events,
    fence::Fence,
    fleet::{self, Fleet},
    leader::Election,
    member,
    metrics::Metrics,
    server,
    settings::{FENCE_MARGIN, LEASE_DURATION, Settings},
    watch,
    worker::{self, Controller},
    world::World,
};
use futures::future::join_all;
use kube::Client;
use mcpfleet_crds::v1alpha1::{McpTool, ProviderRoute};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Runs until `shutdown`, or until leadership is lost.
///
/// # Errors
/// No cluster is named, the admin port is taken, or leadership was lost: the process is to exit.
pub async fn run(settings: Settings, shutdown: CancellationToken) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::default());
    let fence = Arc::new(Fence::new(settings.pod_name.clone(), LEASE_DURATION.saturating_sub(FENCE_MARGIN)));
    let ready = Arc::new(AtomicBool::new(false));
    let admin = Admin::bind(settings.metrics_listen, metrics.clone(), ready.clone()).await?;
    let mut background = JoinSet::new();
    background.spawn(admin.serve());
    let client = client::connect(metrics.clone(), fence.clone()).await?;
    background.spawn(reach(client.clone(), ready));
    let election = Election {
        client: client.clone(),
        namespace: settings.namespace.clone(),
        identity: settings.pod_name.clone(),
        fence,
        metrics: metrics.clone(),
        shutdown,
    };
    election.run(|| lead(client, settings, metrics)).await?;
    Ok(())
}

/// Ready once the API server has answered.
async fn reach(client: Client, ready: Arc<AtomicBool>) {
    while let Err(error) = client.apiserver_version().await {
        tracing::warn!(%error, "the API server does not answer");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    ready.store(true, Ordering::Relaxed);
}

/// The work of a leader; dropping it ends all of it.
async fn lead(client: Client, settings: Settings, metrics: Arc<Metrics>) -> anyhow::Result<()> {
    let context = Arc::new(Context {
        events: Events::new(client.clone(), settings.pod_name.clone()),
        defaults: settings.defaults(),
        world: World::default(),
        queues: Queues::default(),
        fleet: Fleet::new()?,
        client,
        metrics,
    });
    let mut watches = JoinSet::new();
    let mut listed = Vec::new();
    for scope in settings.scopes() {
        listed.extend(watch::start(&context, scope.as_deref(), &mut watches));
    }
    // A decision on half a list would delete or refuse what is merely not known yet.
    join_all(listed).await;
    let everything = watch::everything(&context.world);
    tracing::info!(
        servers = everything.servers.len(),
        tools = everything.tools.len(),
        "the stores are complete"
    );
    context.queues.polls.add(everything.servers.iter().cloned());
    context.enqueue(everything);
    let concurrency = settings.concurrency;
    let controller = |name, queue| Controller { name, queue, concurrency };
    tokio::join!(
        worker::run(controller("server", |queues| &queues.servers), context.clone(), server::reconcile),
        worker::run(
            controller("tool", |queues| &queues.tools),
            context.clone(),
            member::reconcile::<McpTool>
        ),
        worker::run(
            controller("route", |queues| &queues.routes),
            context.clone(),
            member::reconcile::<ProviderRoute>
        ),
        worker::run(
            Controller { concurrency: POLLS, ..controller("poll", |queues| &queues.polls) },
            context.clone(),
            fleet::poll
        ),
    );
    Ok(())
}

/// Servers whose pods are asked at once.
const POLLS: u16 = 32;
