//! Keeps what is served equal to what the files say, and to what the operator sends.
//!
//! One task, so that files and operator never race: [`push`] takes what is sent, [`serve`] swaps it in, [`order`] says
//! which of two is newer. Files are polled, not watched: mounted Secrets and the like change by a link swap, network
//! file systems send no events, and a look at metadata twice a second costs nothing. A damaged input changes nothing:
//! what was served goes on, and logs, metrics and `/status` say why.

pub mod order;
pub mod push;
mod serve;

use crate::{
    egress::Egress,
    readiness::Readiness,
    server::Server,
    source::{
        Read, Source,
        fingerprint::Fingerprint,
        problem::{Problem, Severity},
    },
    transport::{Shared, listener::Form, tls::Tls},
};
use mcpfleet_crds::compile::Placement;
use push::Link;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Pause between two looks at the files.
const POLL: Duration = Duration::from_millis(500);

/// Where everything is.
#[derive(Debug)]
pub struct Around {
    /// Where configurations come from.
    pub source: Source,
    /// Where manifests will run.
    pub placement: Placement,
    /// Mounted Secrets, when there are any.
    pub credentials: Option<PathBuf>,
    /// The serving certificate, when there may be one.
    pub tls: Arc<Tls>,
}

/// Everything that a reload touches.
#[derive(Debug)]
pub struct Reloader {
    around: Around,
    shared: Arc<Shared>,
    /// Who is told about the listener.
    readiness: Arc<Readiness>,
    egress: Egress,
    /// The operator, when there is one.
    link: Option<Link>,
    problems: Vec<Problem>,
    before: Option<Seen>,
    /// Set once it was said that the state directory cannot be written.
    unwritable: bool,
}

/// What one look at the files saw.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    input: Fingerprint,
    /// Credentials and certificate.
    mounted: Fingerprint,
}

impl Reloader {
    /// A reloader that has read nothing yet.
    pub fn new(
        around: Around,
        link: Option<Link>,
        readiness: Arc<Readiness>,
        shared: Arc<Shared>,
        egress: Egress,
    ) -> Self {
        let (problems, before, unwritable) = (Vec::new(), None, false);
        Self { around, shared, readiness, egress, link, problems, before, unwritable }
    }

    /// Looks at the files, and takes what the operator sends, for as long as the process lives. `first` is told when the
    /// files were looked at once, `form` when the first valid configuration has said what the listener speaks.
    pub async fn run(mut self, first: impl FnOnce(), form: impl FnOnce(Form)) {
        let (mut first, mut form) = (Some(first), Some(form));
        let mut next_look = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(next_look) => {
                    self.look().await;
                    next_look = Instant::now() + POLL;
                }
                push = Link::next(&mut self.link) => {
                    self.push(push).await;
                    self.shared.news.status();
                }
            }
            if let Some(first) = first.take() {
                first();
            }
            if let Some(decided) = self.form()
                && let Some(form) = form.take()
            {
                form(decided);
            }
        }
    }

    async fn look(&mut self) {
        let Some(now) = self.fingerprints().await else { return };
        let (input, mounted) = match &self.before {
            Some(before) => (now.input != before.input, now.mounted != before.mounted),
            None => (true, false),
        };
        let is_first = self.before.replace(now).is_none();
        if mounted {
            self.around.tls.reload();
        }
        match (input, mounted) {
            (true, _) if is_first && self.link.is_some() => self.begin().await,
            (true, _) => {
                self.load().await;
                // The file may be passed over; what was mounted with it counts all the same.
                if mounted {
                    self.refresh().await;
                }
            }
            (false, true) => self.refresh().await,
            (false, false) => return,
        }
        self.shared.news.status();
    }

    async fn fingerprints(&self) -> Option<Seen> {
        let input = self.around.source.paths();
        let mut mounted: Vec<PathBuf> = self.around.credentials.iter().cloned().collect();
        mounted.extend(self.around.tls.dir().map(ToOwned::to_owned));
        let take = |paths: &[PathBuf]| Fingerprint::take(paths.iter().map(PathBuf::as_path));
        tokio::task::spawn_blocking(move || Seen { input: take(&input), mounted: take(&mounted) }).await.ok()
    }

    async fn read(&self) -> Read {
        let (source, placement) = (self.around.source.clone(), self.around.placement.clone());
        // Fails only when reading panicked; then there is nothing.
        tokio::task::spawn_blocking(move || source.read(&placement)).await.unwrap_or_default()
    }

    /// The input has changed.
    async fn load(&mut self) {
        let read = self.read().await;
        self.tell(&read.problems);
        if self.is_behind(&read) {
            // It can be read again: what was wrong with it is mended.
            self.shared.fleet.set_refused(None);
            return;
        }
        let serving = !self.shared.fleet.all().is_empty();
        match &read.damaged {
            Some(damaged) if serving => self.refuse(damaged),
            damaged => {
                self.shared.fleet.set_refused(damaged.clone());
                self.apply(read).await;
            }
        }
    }

    /// Whether the file says what the operator has overtaken.
    fn is_behind(&self, read: &Read) -> bool {
        let (Some(_), Some(file)) = (&self.link, read.servers.first()) else { return false };
        let served = self.only().map(|server| server.revision());
        let behind = !order::file_counts(served, file.revision);
        if behind {
            tracing::info!(
                revision = file.revision,
                served,
                "the file is older than what is served: passed over"
            );
        }
        behind
    }

    /// The server of a process that serves one.
    fn only(&self) -> Option<Arc<Server>> {
        self.shared.fleet.all().values().next().cloned()
    }

    /// What the listener speaks. Fixed by the first configuration: the pod's ports and probes were made for it, and a
    /// change of it is a rollout.
    fn form(&self) -> Option<Form> {
        let servers = self.shared.fleet.all();
        let wants_tls = |server: &Arc<Server>| server.snapshot().parts.config.listener.tls.is_some();
        let tls = match &self.around.source {
            Source::Config { .. } => self.around.tls.dir().is_some() || servers.values().any(wants_tls),
            // A laptop has no cluster's certificates: TLS is what the flag says.
            Source::Manifests(_) | Source::Given(_) => self.around.tls.dir().is_some(),
        };
        (!servers.is_empty()).then(|| if tls { Form::Tls(self.around.tls.clone()) } else { Form::Plain })
    }

    /// Logs each problem once, until it is gone and comes back.
    fn tell(&mut self, problems: &[Problem]) {
        for problem in problems.iter().filter(|problem| !self.problems.contains(problem)) {
            match problem.severity {
                Severity::Error => tracing::error!("{problem}"),
                Severity::Warning => tracing::warn!("{problem}"),
            }
        }
        self.problems = problems.to_vec();
    }
}
