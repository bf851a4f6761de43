//! The operator's side of the fleet stream and real runtime processes on this machine, without a cluster.
//!
//! Everything on the wire is the product's own: listener, TLS, sessions, rollout. Only the one thing that needs an
//! API server is another: who a token belongs to is written in the token. For faults that no healthy operator makes
//! (a corrupted candidate) and for numbers of processes that no node of ours holds.

mod ear;
mod process;
mod token;

pub use ear::Ear;
pub use process::Runtime;

use crate::harness::eventually;
use anyhow::Context as _;
use mcpfleet_config::{
    ConfigHash, Encoded,
    status::PodStatus,
    stream::{Epoch, Serving, Signals},
};
use mcpfleet_crds::v1alpha1::{McpServer, McpTool};
use mcpfleet_operator::{
    autoscale::Autoscaler,
    certificates::{Certificates, rotation::rotate},
    children::Defaults,
    context::{Context, Queues},
    events::Events,
    fleet::{Config, Fleet, Gate, Listener, gate},
    metrics::Metrics,
    sessions::{Master, SessionKeys, rotation},
    world::{Endpoint, Key, World},
};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use token::Believer;
use tokio::task::JoinHandle;

/// Namespace of everything here.
pub const NAMESPACE: &str = "loopback";
/// Name of the server.
pub const SERVER: &str = "shop";

/// Its identity.
const OWNER: &str = "uid-of-the-server";

/// An operator as far as streams go.
pub struct Hub {
    /// Where runtimes dial.
    pub address: SocketAddr,
    /// What a leader works with.
    pub context: Arc<Context>,
    /// A number for each change, as the API server gives.
    generations: AtomicI64,
    gate: Arc<Gate>,
    open: Option<gate::Open>,
    directory: TempDir,
    serving: JoinHandle<()>,
}

/// The server.
pub fn server_key() -> Key {
    Key::new(NAMESPACE, SERVER)
}

impl Hub {
    /// Leads at once, in term 1.
    ///
    /// # Errors
    /// No address is free.
    pub async fn start() -> anyhow::Result<Self> {
        // A second installation in one process is no error.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let now = jiff::Timestamp::now();
        let certificates = Certificates::new(vec!["localhost".into()]);
        certificates.adopt(rotate(None, now)?.0, now)?;
        let context = context(certificates.clone())?;
        context.session_keys.adopt(&rotation::rotate(Vec::new(), now)?.0, now);
        put_server(&context, SERVER, serde_json::json!({}))?;
        context.fleet.claim(&server_key(), OWNER);
        let gate = Arc::new(Gate::default());
        let listener =
            Listener::bind(([127, 0, 0, 1], 0).into(), certificates, gate.clone(), Believer).await?;
        let address = listener.address()?;
        let open = Some(gate.open(Epoch { lease: 1, term: 1 }, context.clone()));
        let serving = tokio::spawn(listener.serve());
        let hub = Self {
            generations: AtomicI64::new(1),
            address,
            context,
            gate,
            open,
            directory: tempfile::tempdir()?,
            serving,
        };
        std::fs::write(hub.bundle(), hub.context.certificates.bundle().context("there is a CA")?.as_bytes())?;
        Ok(hub)
    }

    /// File with the certificates that runtimes trust.
    pub fn bundle(&self) -> PathBuf {
        self.directory.path().join("ca.crt")
    }

    /// Directory for files of runtimes.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Loses the lease: every stream ends.
    pub fn depose(&mut self) {
        self.open = None;
    }

    /// Leads again, in another term.
    pub fn lead(&mut self, term: i64) {
        self.open = Some(self.gate.open(Epoch { lease: 1, term }, self.context.clone()));
    }

    /// Applies a tool, and offers what the server compiles to now. Returns its hash.
    ///
    /// # Errors
    /// The tool cannot be read.
    pub fn apply(&self, tool: serde_json::Value) -> anyhow::Result<ConfigHash> {
        let mut tool: McpTool = serde_json::from_value(tool)?;
        tool.metadata.generation = Some(self.generations.fetch_add(1, Ordering::Relaxed));
        self.context.world.objects.put(tool);
        self.offer_compiled()
    }

    /// Changes the server's spec, and offers what it compiles to now. Returns its hash.
    ///
    /// # Errors
    /// The spec cannot be read.
    pub fn serve_with(&self, spec: serde_json::Value) -> anyhow::Result<ConfigHash> {
        put_server(&self.context, SERVER, spec)?;
        self.offer_compiled()
    }

    /// Adds another server, that has no tools of its own.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn add_server(&self, name: &str) -> anyhow::Result<()> {
        put_server(&self.context, name, serde_json::json!({}))
    }

    /// The master keys, oldest first.
    pub fn masters(&self) -> Vec<Master> {
        let mut masters = self.context.session_keys.changed().borrow().to_vec();
        masters.sort_by_key(|master| master.epoch);
        masters
    }

    fn offer_compiled(&self) -> anyhow::Result<ConfigHash> {
        let compilation = self.context.compile(&server_key()).context("the server is known")?;
        let product = compilation.product.as_ref().context("it compiles")?;
        self.offer(&product.encoded);
        Ok(product.encoded.hash.clone())
    }

    /// Offers any bytes, as a faulty operator would.
    pub fn offer(&self, encoded: &Arc<Encoded>) {
        self.context.fleet.desire(&server_key(), encoded);
    }

    /// What is accepted.
    pub fn accepted(&self) -> Option<Config> {
        self.context.fleet.accepted(&server_key())
    }

    /// What each of these pods said last.
    pub fn statuses(&self, uids: &[String]) -> Vec<Option<PodStatus>> {
        let endpoints: Vec<Endpoint> = uids.iter().map(|uid| endpoint(uid)).collect();
        let answers = self.context.fleet.answers(&server_key(), &endpoints);
        answers.map_or_else(
            || vec![None; uids.len()],
            |answers| answers.iter().map(|a| a.status.clone()).collect(),
        )
    }

    /// What a pod reported of its load.
    pub fn signals(&self, uid: &str) -> Option<Signals> {
        let (_, signals) = self.context.fleet.signals(&server_key(), &[endpoint(uid)]).pop()?;
        signals
    }

    /// Tells a pod what to be.
    pub fn serve(&self, uid: &str, serving: Serving) {
        self.context.fleet.serve(&server_key(), uid, serving);
    }

    /// Waits until all of these pods serve `hash`.
    pub async fn all_serve(&self, uids: &[String], hash: &ConfigHash) {
        eventually("every pod serves the configuration", || async {
            let behind = self.statuses(uids).into_iter().zip(uids);
            let behind: Vec<_> = behind
                .filter(|(status, _)| status.as_ref().and_then(|s| s.config_hash.as_ref()) != Some(hash))
                .map(|(status, uid)| (uid.clone(), status))
                .collect();
            if behind.is_empty() { Ok(()) } else { Err(behind) }
        })
        .await;
    }

    /// Applies a tool and returns how long it took until every pod had acknowledged it.
    ///
    /// # Errors
    /// Not within 30 s.
    pub async fn time_to_acknowledge(
        &self,
        tool: serde_json::Value,
        uids: &[String],
    ) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let hash = self.apply(tool)?;
        loop {
            let statuses = self.statuses(uids);
            let serves = |status: &Option<PodStatus>| {
                status.as_ref().is_some_and(|s| s.config_hash.as_ref() == Some(&hash))
            };
            if statuses.iter().all(serves) {
                return Ok(started.elapsed());
            }
            anyhow::ensure!(started.elapsed() < Duration::from_secs(30), "not acknowledged: {statuses:?}");
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A tool that says `text`.
pub fn tool(name: &str, text: &str) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "mcpfleet.dev/v1alpha1", "kind": "McpTool",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"fleet": SERVER}},
        "spec": {"description": "Says something.", "backend": {"static": {"text": text}}},
    })
}

fn endpoint(uid: &str) -> Endpoint {
    Endpoint { pod: format!("pod-{uid}"), uid: uid.into(), address: [127, 0, 0, 1].into(), ready: true }
}

fn put_server(context: &Context, name: &str, over: serde_json::Value) -> anyhow::Result<()> {
    let before = context.world.objects.get::<McpServer>(&Key::new(NAMESPACE, name));
    let generation = before.and_then(|server| server.metadata.generation).unwrap_or_default() + 1;
    let uid = if name == SERVER { OWNER.to_owned() } else { format!("uid-of-the-server-{name}") };
    let mut server = serde_json::json!({
        "apiVersion": "mcpfleet.dev/v1alpha1", "kind": "McpServer",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": uid, "generation": generation},
        "spec": {"auth": {"anonymous": {}}, "tools": {"selector": {"matchLabels": {"fleet": SERVER}}}},
    });
    if let (Some(spec), serde_json::Value::Object(over)) = (server["spec"].as_object_mut(), over) {
        spec.extend(over);
    }
    context.world.objects.put(serde_json::from_value::<McpServer>(server)?);
    Ok(())
}

/// What a leader works with; its API server is never asked.
fn context(certificates: Arc<Certificates>) -> anyhow::Result<Arc<Context>> {
    let nowhere = kube::Config::new("http://127.0.0.1:9".parse()?);
    let client = kube::Client::try_from(nowhere)?;
    Ok(Arc::new(Context {
        events: Events::new(client.clone(), "loopback".into()),
        client,
        world: World::default(),
        queues: Queues::default(),
        fleet: Fleet::default(),
        autoscaler: Autoscaler::default(),
        metrics: Arc::new(Metrics::default()),
        certificates,
        session_keys: SessionKeys::new(),
        defaults: Defaults {
            runtime_image: "none".into(),
            image_pull_policy: "Never".into(),
            operator_url: "none".into(),
        },
    }))
}
