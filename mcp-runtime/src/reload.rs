//! Keeps what is served equal to what the files say.
//!
//! Files are polled, not watched: mounted Secrets and the like change by a link swap, network file systems send no
//! events, and a look at metadata twice a second costs nothing. A damaged input changes nothing: what was served goes
//! on, and logs, metrics and `/status` say why.

use crate::{
    credentials::{self, Credentials},
    egress::Egress,
    readiness::Readiness,
    server::{Loaded, Server},
    source::{
        Declared, Read, Source,
        fingerprint::Fingerprint,
        problem::{Problem, Severity},
    },
    transport::{Shared, listener::Form, tls::Tls},
};
use mcpfleet_config::status::Rejected;
use mcpfleet_crds::compile::Placement;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

/// Pause between two looks at the files.
const POLL: Duration = Duration::from_millis(500);

/// Everything that a reload touches.
#[derive(Debug)]
pub struct Reloader {
    /// Where configurations come from.
    pub source: Source,
    /// Where manifests will run.
    pub placement: Placement,
    /// Mounted Secrets, when there are any.
    pub credentials: Option<PathBuf>,
    /// The serving certificate, when there may be one.
    pub tls: Arc<Tls>,
    /// What is served.
    pub shared: Arc<Shared>,
    /// Who is told about the listener.
    pub readiness: Arc<Readiness>,
    /// The process's HTTP client.
    pub egress: Egress,
    seen: Vec<Problem>,
}

impl Reloader {
    /// A reloader that has read nothing yet.
    pub fn new(
        (source, placement): (Source, Placement),
        credentials: Option<PathBuf>,
        tls: Arc<Tls>,
        readiness: Arc<Readiness>,
        shared: Arc<Shared>,
        egress: Egress,
    ) -> Self {
        Self { source, placement, credentials, tls, shared, readiness, egress, seen: Vec::new() }
    }

    /// Looks at the files for as long as the process lives. `first` is told when that was done once, `form` when the
    /// first valid configuration has said what the listener speaks.
    pub async fn run(mut self, first: impl FnOnce(), form: impl FnOnce(Form)) {
        let (mut first, mut form) = (Some(first), Some(form));
        let mut before = None;
        loop {
            let now = self.fingerprint().await;
            if now.is_some() && now != before {
                if before.is_some() {
                    self.tls.reload();
                }
                self.load().await;
                before = now;
            }
            if let Some(first) = first.take() {
                first();
            }
            if let Some(decided) = self.form()
                && let Some(form) = form.take()
            {
                form(decided);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn fingerprint(&self) -> Option<Fingerprint> {
        let mut paths = vec![self.source.path().clone()];
        paths.extend(self.credentials.clone());
        paths.extend(self.tls.dir().map(ToOwned::to_owned));
        tokio::task::spawn_blocking(move || Fingerprint::take(paths.iter().map(PathBuf::as_path))).await.ok()
    }

    async fn load(&mut self) {
        let (source, placement) = (self.source.clone(), self.placement.clone());
        // Fails only when reading panicked; then nothing changes.
        let Ok(read) = tokio::task::spawn_blocking(move || source.read(&placement)).await else { return };
        self.tell(&read.problems);
        let serving = !self.shared.fleet.all().is_empty();
        match &read.damaged {
            Some(damaged) if serving => self.refuse(damaged),
            damaged => {
                self.shared.fleet.set_refused(damaged.clone());
                self.apply(read).await;
            }
        }
    }

    fn refuse(&self, damaged: &Rejected) {
        tracing::error!(
            reason = damaged.message,
            "the new configuration is refused whole; the old one goes on serving"
        );
        self.shared.metrics.reloaded("rejected");
        self.shared.fleet.set_refused(Some(damaged.clone()));
    }

    async fn apply(&self, read: Read) {
        let before = self.shared.fleet.all();
        let mut servers = BTreeMap::new();
        for declared in read.servers {
            let name = declared.config.server.to_string();
            self.name_listener(&declared);
            if let Some(server) = self.serve(before.get(&name), declared).await {
                servers.insert(name, server);
            }
        }
        for (name, rejected) in read.refused {
            self.shared.metrics.reloaded("rejected");
            // A server that is declared but refused goes on with what it had.
            if let Some(server) = before.get(&name) {
                server.rejected.store(Some(Arc::new(rejected)));
                servers.insert(name, server.clone());
            }
        }
        self.shared.fleet.replace(servers);
    }

    async fn serve(&self, before: Option<&Arc<Server>>, declared: Declared) -> Option<Arc<Server>> {
        let Declared { config, hash, secrets } = declared;
        let source = self.credentials.clone().map_or(secrets, credentials::Source::Directory);
        let wanted = config.clone();
        let read = tokio::task::spawn_blocking(move || Credentials::load(&source, &wanted.credentials()));
        let credentials = Arc::new(read.await.unwrap_or_default());
        let loaded = Loaded { config, hash, credentials };
        let (name, hash) = (loaded.config.server.to_string(), loaded.hash.clone());
        let (server, result) = match before {
            Some(server) if server.serves(&loaded) => {
                server.rejected.store(None);
                return Some(server.clone());
            }
            Some(server) => (Some(server.clone()), server.update(loaded)),
            None => match Server::start(loaded, &self.egress, &self.shared.metrics) {
                Ok(server) => (Some(server), Ok(())),
                Err(error) => (None, Err(error)),
            },
        };
        let outcome = if result.is_ok() { "accepted" } else { "rejected" };
        self.shared.metrics.reloaded(outcome);
        let rejected =
            result.err().map(|error| Arc::new(Rejected { hash: hash.clone(), message: error.to_string() }));
        match &rejected {
            None => tracing::info!(server = name, hash = hash.short(), "configuration accepted"),
            Some(why) => tracing::error!(server = name, reason = why.message, "configuration refused"),
        }
        if let Some(server) = &server {
            server.rejected.store(rejected);
        }
        server
    }

    fn name_listener(&self, declared: &Declared) {
        if let Some(tls) = &declared.config.listener.tls {
            self.readiness.set_server_name(&tls.server_name);
        }
    }

    /// What the listener speaks. Fixed by the first configuration: the pod's ports and probes were made for it, and a
    /// change of it is a rollout.
    fn form(&self) -> Option<Form> {
        let servers = self.shared.fleet.all();
        let wants_tls = |server: &Arc<Server>| server.snapshot().parts.config.listener.tls.is_some();
        let tls = match &self.source {
            Source::Config(_) => self.tls.dir().is_some() || servers.values().any(wants_tls),
            // A laptop has no cluster's certificates: TLS is what the flag says.
            Source::Manifests(_) => self.tls.dir().is_some(),
        };
        (!servers.is_empty()).then(|| if tls { Form::Tls(self.tls.clone()) } else { Form::Plain })
    }

    /// Logs each problem once, until it is gone and comes back.
    fn tell(&mut self, problems: &[Problem]) {
        for problem in problems.iter().filter(|problem| !self.seen.contains(problem)) {
            match problem.severity {
                Severity::Error => tracing::error!("{problem}"),
                Severity::Warning => tracing::warn!("{problem}"),
            }
        }
        self.seen = problems.to_vec();
    }
}
