//! One server that this process serves: its snapshot, its queue and its upstreams.

use crate::{
    admission::{Admission, streams::Streams},
    catalog::{
        Parts, Snapshot,
        edition::Editions,
        offers::Offers,
        own::{self, Unservable},
    },
    conversation::{Suspended, Tasks},
    credentials::Credentials,
    egress::Egress,
    identity::{Door, Gatekeeper},
    outgoing::Signer,
    seal::Keyring,
    search::Meaning,
    session::Sessions,
    store::Store,
    telemetry::Metrics,
    uplink::news::News,
    upstream::{Pool, Roster, Updated},
};
use arc_swap::{ArcSwap, ArcSwapOption};
use mcpfleet_config::{ConfigHash, RuntimeConfig, status::Rejected};
use mcpfleet_protocol::answer::Implementation;
use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, timeout},
};

/// Changes of resources that wait for a client that reads slowly; one that is further behind is told of all that it
/// watches.
const UPDATES: usize = 256;

/// How long a server is not ready for want of a first word of its upstreams.
const FIRST_LISTS: Duration = Duration::from_secs(5);

/// What servers share with the process that they are in.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The process's HTTP client.
    pub egress: Egress,
    /// Where everything is counted.
    pub metrics: Arc<Metrics>,
    /// What there is to tell the operator.
    pub news: Arc<News>,
    /// By what state that clients carry is sealed.
    pub keys: Arc<Keyring>,
    /// `ip:port` where other replicas reach this one; empty when they cannot.
    pub own_address: String,
}

/// A server with everything that calls need.
#[derive(Debug)]
pub struct Server {
    /// `namespace/name`.
    pub name: String,
    /// Its queue.
    pub admission: Arc<Admission>,
    /// Its notification streams.
    pub streams: Arc<Streams>,
    /// The editions of its list.
    pub editions: Editions,
    /// Its upstreams.
    pub pool: Pool,
    /// Its sessions.
    pub sessions: Sessions,
    /// Calls that wait for input of their clients.
    pub suspended: Arc<Suspended>,
    /// Calls that their clients follow by an id.
    pub tasks: Arc<Tasks>,
    /// What outlives a request, shared between replicas where a store is declared.
    pub store: Arc<Store>,
    /// What its tools mean, where tool search has a model for that.
    pub meaning: Arc<Meaning>,
    /// Whether who listens may go on.
    pub door: Door,
    /// URIs of resources that have changed.
    pub updates: broadcast::Sender<Arc<str>>,
    /// The process's HTTP client.
    pub egress: Egress,
    /// What its requests to others carry.
    pub signer: Signer,
    /// A configuration that was refused since the one that is served.
    pub rejected: ArcSwapOption<Rejected>,
    began: Instant,
    revision: AtomicU64,
    snapshot: ArcSwap<Snapshot>,
    metrics: Arc<Metrics>,
    news: Arc<News>,
    /// One builder of snapshots at a time.
    building: Mutex<()>,
}

/// A checked configuration with its secrets.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What to serve.
    pub config: Arc<RuntimeConfig>,
    /// Hash of its canonical bytes.
    pub hash: ConfigHash,
    /// Its place in the order of configurations; 0 when it has none.
    pub revision: u64,
    /// Secret values that it names.
    pub credentials: Arc<Credentials>,
}

impl Server {
    /// Begins to serve. Must run inside a tokio runtime.
    ///
    /// # Errors
    /// [`Unservable`]; nothing is left behind.
    pub fn start(loaded: Loaded, around: &Surroundings) -> Result<Arc<Self>, Unservable> {
        let Surroundings { egress, metrics, news, keys, own_address } = around;
        let own = own::prepare(&loaded.config, &[])?;
        let offers = Arc::new(Offers::prepare(&loaded.config)?);
        let Loaded { config, hash, revision, credentials } = loaded;
        let name = config.server.to_string();
        let signer = Signer::new(egress.clone());
        let pool = Pool::new(egress.clone(), signer.clone());
        let admission = Admission::new(&config.admission, metrics.admission(&name), news.clone());
        let streams = Streams::telling(config.admission.max_streams, news.clone());
        pool.apply(&config.upstreams, &credentials);
        metrics.config_changed(&name, None, Some(hash.short()));
        let gate = gate(&config, &credentials, egress, None);
        let door = Door::new(gate.clone());
        let parts = Parts { config, hash, credentials, own: own.into(), offers, roster: pool.roster(), gate };
        let store = Store::in_memory(keys.clone(), &name);
        store.configure(parts.config.store.as_ref(), &parts.credentials);
        let implementation = Implementation::new(name.clone(), env!("CARGO_PKG_VERSION"));
        let server = Arc::new(Self {
            name,
            admission,
            streams,
            editions: Editions::default(),
            pool,
            sessions: Sessions::new(keys.clone(), implementation.name.clone()),
            suspended: Suspended::new(keys.clone(), own_address.clone(), implementation.clone()),
            tasks: Tasks::new(keys.clone(), own_address.clone(), implementation, store.clone()),
            meaning: Meaning::new(egress.clone(), signer.clone(), store.clone()),
            store,
            door,
            updates: broadcast::Sender::new(UPDATES),
            egress: egress.clone(),
            signer,
            rejected: ArcSwapOption::empty(),
            began: Instant::now(),
            revision: AtomicU64::new(revision),
            snapshot: ArcSwap::from_pointee(Snapshot::new(parts, metrics)),
            metrics: metrics.clone(),
            news: news.clone(),
            building: Mutex::new(()),
        });
        server.meaning.prepare(&server.snapshot());
        tokio::spawn(follow_upstreams(Arc::downgrade(&server)));
        tokio::spawn(follow_resources(Arc::downgrade(&server), server.pool.updates()));
        Ok(server)
    }

    /// Whether what it serves has its upstreams' part, or they have had the time to answer: until then its lists may lack it.
    pub fn is_settled(&self) -> bool {
        self.began.elapsed() >= FIRST_LISTS || self.snapshot.load().parts.roster.is_settled()
    }

    /// Waits until each upstream has been heard once, or has been found to be of no use; at most `longest`.
    pub async fn settled(&self, longest: Duration) {
        let mut roster = self.pool.changed();
        // It lives as long as the pool does.
        let heard = roster.wait_for(|roster| roster.is_settled());
        if timeout(longest, heard).await.is_err() {
            tracing::warn!(server = self.name, "an upstream does not answer; going on without it");
        }
        // The snapshot follows the roster.
        self.follow(self.pool.roster());
    }

    /// What a request is answered from; it keeps it to its end.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Whether it serves exactly this already.
    pub fn serves(&self, loaded: &Loaded) -> bool {
        let parts = &self.snapshot.load().parts;
        parts.hash == loaded.hash && parts.credentials == loaded.credentials
    }

    /// Place of what it serves in the order of configurations; 0 when that has none.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// What it serves has this place by now.
    pub fn set_revision(&self, revision: u64) {
        self.revision.store(revision, Ordering::Relaxed);
    }

    /// Swaps in another configuration, or other credentials.
    ///
    /// # Errors
    /// [`Unservable`]; the old one goes on serving.
    pub fn update(&self, loaded: Loaded) -> Result<(), Unservable> {
        let _one = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.snapshot();
        let own = own::prepare(&loaded.config, &before.parts.own)?.into();
        let offers = Arc::new(Offers::prepare(&loaded.config)?);
        let Loaded { config, hash, revision, credentials } = loaded;
        self.pool.apply(&config.upstreams, &credentials);
        self.store.configure(config.store.as_ref(), &credentials);
        self.admission.set_bounds(&config.admission);
        self.streams.set_max(config.admission.max_streams);
        self.metrics.config_changed(&self.name, Some(before.parts.hash.short()), Some(hash.short()));
        let gate = gate(&config, &credentials, &self.egress, Some(&before.parts.gate));
        // First: whoever is let in no more is not told of what is new.
        self.door.change(gate.clone());
        self.swap(Parts {
            config,
            hash,
            credentials,
            own,
            offers: offers.clone(),
            roster: self.pool.roster(),
            gate,
        });
        for uri in offers.changed_since(&before.parts.offers) {
            // Nobody may be listening.
            let _ = self.updates.send(uri.into());
        }
        self.set_revision(revision);
        Ok(())
    }

    /// Takes what upstreams offer now.
    fn follow(&self, roster: Arc<Roster>) {
        let _one = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        self.swap(Parts { roster, ..self.snapshot().parts.clone() });
    }

    fn swap(&self, parts: Parts) {
        let next = Arc::new(Snapshot::new(parts, &self.metrics));
        for loser in &next.withheld {
            tracing::warn!(
                server = self.name,
                upstream = loser.upstream,
                tool = loser.tool,
                reason = loser.reason,
                "tool left out"
            );
        }
        let before = self.snapshot.swap(next.clone());
        before.forget_missing_in(&next);
        self.editions.swapped(&before, &next);
        self.meaning.prepare(&next);
        let (old, new) = (&before.parts.roster.status, &next.parts.roster.status);
        self.metrics.upstreams(&self.name, old, new);
        self.news.status();
    }
}

/// The door; says of each key that opens nothing why.
fn gate(
    config: &RuntimeConfig,
    credentials: &Credentials,
    egress: &Egress,
    before: Option<&Gatekeeper>,
) -> Arc<Gatekeeper> {
    let gate = Gatekeeper::new(config, credentials, egress, before);
    for (key, error) in gate.unusable_keys() {
        tracing::warn!(server = %config.server, key, %error, "key opens nothing");
    }
    gate.warm_up();
    Arc::new(gate)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.metrics.config_changed(&self.name, Some(self.snapshot().parts.hash.short()), None);
        self.metrics.store(&self.name, None);
        self.meaning.stop();
    }
}

/// Rebuilds the snapshot whenever the roster changes, as long as the server lives.
async fn follow_upstreams(server: Weak<Server>) {
    let Some(mut changed) = server.upgrade().map(|server| server.pool.changed()) else { return };
    // What changed between the first snapshot and this subscription is not signalled.
    changed.mark_changed();
    while changed.changed().await.is_ok() {
        let roster = changed.borrow_and_update().clone();
        let Some(server) = server.upgrade() else { return };
        server.follow(roster);
    }
}

/// Tells listeners of resources that upstreams say have changed, as long as the server lives.
async fn follow_resources(server: Weak<Server>, mut updates: broadcast::Receiver<Updated>) {
    loop {
        let news = updates.recv().await;
        let Some(server) = server.upgrade() else { return };
        match news {
            // Nobody may be listening.
            Ok(Updated { uri, .. }) => drop(server.updates.send(uri.into())),
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(
                    server = server.name,
                    missed,
                    "resources changed faster than it could be told"
                );
            }
            Err(RecvError::Closed) => return,
        }
    }
}
