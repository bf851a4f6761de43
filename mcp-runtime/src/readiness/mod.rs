//! Readiness: would a client who connects now be served?
//!
//! [`verdict`] decides, [`handshake`] tries, [`certificate`] looks at the certificate as clients do. The admin port and
//! the process may be in best health while the data listener is deaf; only a handshake through it tells.

pub mod certificate;
pub mod handshake;
pub mod verdict;

use crate::{
    server::Server,
    transport::{Shared, listener::Form},
};
use arc_swap::ArcSwapOption;
use handshake::Target;
use mcpfleet_config::stream::Serving;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use verdict::{Generation, Need, Track, Verdict};

/// Pause between attempts of [`Readiness::keep_proving`].
const RETRY: Duration = Duration::from_millis(200);

/// For how long upstreams that have not answered yet keep it from being ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// A few seconds.
    Short,
    /// Until they have.
    Endless,
}

/// The readiness of one data listener.
#[derive(Debug)]
pub struct Readiness {
    shared: Arc<Shared>,
    address: SocketAddr,
    patience: Patience,
    /// Set once, with the first configuration.
    form: OnceLock<Form>,
    /// Name that clients verify.
    server_name: ArcSwapOption<String>,
    /// Held over a probe: one handshake at a time.
    probing: tokio::sync::Mutex<(Track, Option<Instant>)>,
    last: Mutex<Verdict>,
}

impl Readiness {
    /// Of a listener that `address` reaches.
    pub fn new(shared: Arc<Shared>, address: SocketAddr, patience: Patience) -> Arc<Self> {
        Arc::new(Self {
            shared,
            address,
            patience,
            form: OnceLock::new(),
            server_name: ArcSwapOption::empty(),
            probing: tokio::sync::Mutex::default(),
            last: Mutex::new(Verdict::NotReady("starting".into())),
        })
    }

    /// The listener begins to accept.
    pub fn listening(&self, form: Form) {
        // A second call has no listener to speak of.
        drop(self.form.set(form));
    }

    /// The name that clients verify from now on.
    pub fn set_server_name(&self, name: &str) {
        self.server_name.store(Some(Arc::new(name.to_owned())));
    }

    /// What the listener speaks, once that is known.
    pub fn form(&self) -> Option<&Form> {
        self.form.get()
    }

    /// The latest verdict, without asking again.
    pub fn last(&self) -> Verdict {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A probe: proof from traffic, or a handshake. Probes that come together share one.
    pub async fn probe(&self) -> Verdict {
        let asked = Instant::now();
        let mut probing = self.probing.lock().await;
        if probing.1.is_some_and(|settled| settled > asked) {
            return self.last();
        }
        let verdict = match probing.0.ask(self.listener(), self.shared.answered()) {
            Need::Nothing(verdict) => verdict,
            Need::Handshake(generation) => {
                let result = match self.target() {
                    Some(target) => handshake::attempt(&target).await,
                    None => Err("no server is configured".into()),
                };
                probing.0.settle(generation, result)
            }
        };
        probing.1 = Some(Instant::now());
        self.publish(&verdict);
        verdict
    }

    /// Probes until the first yes, and again after each new certificate, without waiting to be asked.
    pub async fn keep_proving(self: Arc<Self>) {
        let mut proven: Option<Generation> = None;
        loop {
            let listener = self.listener().ok();
            if (listener != proven || proven.is_none()) && self.probe().await == Verdict::Ready {
                proven = listener;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// What there is to prove, or why there is nothing.
    fn listener(&self) -> Result<Generation, String> {
        if self.shared.is_draining() {
            return Err("shutting down: the listener is closed".into());
        }
        if self.shared.retreat.serving() == Serving::Draining {
            return Err("draining for a scale-down".into());
        }
        if self.shared.fleet.all().is_empty() {
            return Err("no valid configuration yet".into());
        }
        // Once ready it stays so: an upstream that joins later is no reason to send clients away.
        let heard = |server: &Arc<Server>| match self.patience {
            Patience::Short => server.is_settled(),
            Patience::Endless => server.pool.roster().has_answers(),
        };
        let unheard = !self.shared.fleet.all().values().all(heard);
        if unheard && !matches!(self.last(), Verdict::Ready) {
            return Err("upstreams are being asked for the first time; /healthz says how it goes".into());
        }
        match self.form.get() {
            None => Err("the listener is not accepting yet".into()),
            Some(Form::Plain) => Ok(0),
            Some(Form::Tls(tls)) => {
                let certificate = tls.certificate().map_err(|error| error.to_string())?;
                certificate::in_date(&certificate)?;
                Ok(tls.generation())
            }
        }
    }

    fn target(&self) -> Option<Target> {
        let servers = self.shared.fleet.all();
        let path = format!("/{}/mcp", servers.keys().next()?);
        let tls = match self.form.get()? {
            Form::Plain => None,
            Form::Tls(tls) => {
                let name =
                    self.server_name.load_full().map_or_else(|| "localhost".into(), |name| (*name).clone());
                Some((tls.clone(), name))
            }
        };
        Some(Target { address: self.address, path, tls, key: self.shared.probe_key().clone() })
    }

    fn publish(&self, verdict: &Verdict) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != *verdict {
            match verdict {
                Verdict::Ready => tracing::info!("ready"),
                Verdict::NotReady(reason) => tracing::warn!(reason, "not ready"),
            }
            last.clone_from(verdict);
            self.shared.news.status();
        }
        self.shared.metrics.set_ready(*verdict == Verdict::Ready);
    }
}
