//! Puts the parts together: one process, one term of leadership.

use crate::{
    admin::Admin,
    autoscale::{self, Autoscaler},
    certificates::{self, Certificates, Part},
    client,
    context::{Context, Queues},
    events::Events,
    fence::Fence,
    fleet::{self, Fleet, Gate, Listener, review::TokenReviews},
    leader::{self, Election},
    member,
    metrics::Metrics,
    server,
    sessions::{self, SessionKeys},
    settings::{FENCE_MARGIN, LEASE_DURATION, Settings},
    watch,
    worker::{self, Controller},
    world::World,
};
use futures::future::join_all;
use kube::Client;
use mcpfleet_crds::v1alpha1::{McpTool, ProviderRoute};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Pause between two tries of what a leader cannot begin without.
const RETRY: Duration = Duration::from_millis(500);

/// What lasts as long as the process, whoever leads.
struct Process {
    client: Client,
    settings: Settings,
    metrics: Arc<Metrics>,
    certificates: Arc<Certificates>,
    gate: Arc<Gate>,
}

/// Runs until `shutdown`, or until leadership is lost.
///
/// # Errors
/// No cluster is named, a port is taken, or leadership was lost: the process is to exit.
pub async fn run(settings: Settings, shutdown: CancellationToken) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::default());
    let fence = Arc::new(Fence::new(settings.identity(), LEASE_DURATION.saturating_sub(FENCE_MARGIN)));
    let ready = Arc::new(AtomicBool::new(false));
    let admin = Admin::bind(settings.metrics_listen, metrics.clone(), ready.clone()).await?;
    let mut background = JoinSet::new();
    background.spawn(admin.serve());
    let client = client::connect(metrics.clone(), fence.clone()).await?;
    background.spawn(reach(client.clone(), ready));
    let service = settings.service_host();
    let certificates = Certificates::new(vec![service.clone(), format!("{service}.cluster.local")]);
    let gate = Arc::new(Gate::default());
    let reviews = TokenReviews::new(client.clone());
    let listener = Listener::bind(settings.fleet_listen, certificates.clone(), gate.clone(), reviews).await?;
    background.spawn(listener.serve());
    background.spawn(certificates::keep(
        client.clone(),
        settings.namespace.clone(),
        certificates.clone(),
        Part::Follower,
    ));
    let election = Election {
        client: client.clone(),
        namespace: settings.namespace.clone(),
        identity: settings.identity(),
        fence,
        gate: gate.clone(),
        metrics: metrics.clone(),
        shutdown,
    };
    let process = Process { client, settings, metrics, certificates, gate };
    election.run(|| process.lead()).await?;
    Ok(())
}

/// Ready once the API server has answered.
async fn reach(client: Client, ready: Arc<AtomicBool>) {
    while let Err(error) = client.apiserver_version().await {
        tracing::warn!(%error, "the API server does not answer");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    ready.store(true, Ordering::Relaxed);
}

impl Process {
    /// The work of a leader; dropping it ends all of it.
    async fn lead(self) -> anyhow::Result<()> {
        let mut tasks = JoinSet::new();
        let namespace = self.settings.namespace.clone();
        tasks.spawn(certificates::keep(
            self.client.clone(),
            namespace.clone(),
            self.certificates.clone(),
            Part::Leader,
        ));
        let context = self.context();
        tasks.spawn(sessions::keep(self.client.clone(), namespace, context.session_keys.clone()));
        let mut listed = Vec::new();
        for scope in self.settings.scopes() {
            listed.extend(watch::start(&context, scope.as_deref(), &mut tasks));
        }
        // A decision on half a list would delete or refuse what is merely not known yet.
        join_all(listed).await;
        self.wait_for_certificates().await;
        let everything = watch::everything(&context.world);
        tracing::info!(
            servers = everything.servers.len(),
            tools = everything.tools.len(),
            "the stores are complete"
        );
        let epoch = self.epoch().await;
        // Closed, with all streams, when this is dropped.
        let _open = self.gate.open(epoch, context.clone());
        context.enqueue(everything);
        tasks.spawn(fleet::keep_time(context.clone()));
        tasks.spawn(renew_bundles(context.clone()));
        tasks.spawn(autoscale::run(context.clone()));
        self.control(context).await;
        Ok(())
    }

    fn context(&self) -> Arc<Context> {
        Arc::new(Context {
            events: Events::new(self.client.clone(), self.settings.pod_name.clone()),
            defaults: self.settings.defaults(),
            world: World::seeing(self.settings.sight()),
            queues: Queues::default(),
            fleet: Fleet::default(),
            autoscaler: Autoscaler::default(),
            certificates: self.certificates.clone(),
            session_keys: SessionKeys::new(),
            client: self.client.clone(),
            metrics: self.metrics.clone(),
        })
    }

    /// Children name the CA: none is made before there is one.
    async fn wait_for_certificates(&self) {
        while self.certificates.bundle().is_none() {
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn epoch(&self) -> mcpfleet_config::stream::Epoch {
        loop {
            match leader::epoch(&self.client, &self.settings.namespace).await {
                Ok(epoch) => return epoch,
                Err(error) => tracing::warn!(%error, "the lease cannot be read"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn control(&self, context: Arc<Context>) {
        let concurrency = self.settings.concurrency;
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
        );
    }
}

/// Brings new certificates to every server's ConfigMap.
async fn renew_bundles(context: Arc<Context>) {
    let mut changed = context.certificates.changed();
    while changed.changed().await.is_ok() {
        context.enqueue(watch::everything(&context.world));
    }
}
