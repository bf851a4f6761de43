//! Ranking by meaning: the vectors of tools, made once for each definition, and that of each query.
//!
//! Vectors are made in the background, from the moment at which a snapshot is served; until they are all there, and
//! whenever the model fails, a search goes by words and says so. With a shared store a definition is embedded once for all
//! replicas.

use super::{answer::Ranking, find::Finder, index::Hit, vectors::Vectors};
use crate::{
    catalog::Snapshot,
    credentials::Credentials,
    egress::Egress,
    identity::Principal,
    model::embed,
    outgoing::{Behalf, Signer},
    store::Store,
};
use mcpfleet_config::{Embeddings, RuntimeConfig};
use mcpfleet_llm::embeddings::{MAX_TEXTS, cosine};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// How long a model that failed is left alone before definitions are sent to it again.
const PAUSE: Duration = Duration::from_secs(5);
/// How many tools a ranking by meaning has: it has something to say of each, and nothing of use but of the first.
const RANKED: usize = 30;

/// The vectors of one server's tools.
#[derive(Debug)]
pub struct Meaning {
    egress: Egress,
    signer: Signer,
    vectors: Vectors,
    work: Mutex<Work>,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Work {
    /// What is to be embedded after what is being embedded.
    next: Option<Job>,
    /// Whether a task is at it.
    state: Worker,
    /// What came of the last job, when it failed.
    failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Worker {
    #[default]
    Idle,
    Busy,
}

#[derive(Clone, Debug)]
struct Failure {
    why: String,
    until: Instant,
}

/// The tools of one snapshot, and with what they are embedded.
#[derive(Clone, Debug)]
struct Job {
    finder: Arc<Finder>,
    config: Arc<RuntimeConfig>,
    credentials: Arc<Credentials>,
    model: Embeddings,
}

impl Job {
    fn of(snapshot: &Snapshot) -> Option<Self> {
        let finder = snapshot.finder()?.clone();
        let model = finder.settings().embeddings.clone()?;
        let (config, credentials) = (snapshot.parts.config.clone(), snapshot.parts.credentials.clone());
        Some(Self { finder, config, credentials, model })
    }
}

impl Meaning {
    /// Nothing is embedded yet.
    pub fn new(egress: Egress, signer: Signer, store: Arc<Store>) -> Arc<Self> {
        let (vectors, work) = (Vectors::new(store), Mutex::default());
        Arc::new(Self { egress, signer, vectors, work, stop: CancellationToken::new() })
    }

    /// Begins to embed the tools of a snapshot, where it asks for that. Must be called on a tokio runtime.
    pub fn prepare(self: &Arc<Self>, snapshot: &Snapshot) {
        match Job::of(snapshot) {
            Some(job) => self.begin(job),
            None => self.work().next = None,
        }
    }

    /// Nothing more is embedded.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// How a search ranks: by the meaning of its query where all is there that this needs.
    pub async fn rank(
        self: &Arc<Self>,
        snapshot: &Snapshot,
        (query, visible): (&str, &[bool]),
        caller: &Principal,
    ) -> Ranking {
        let Some(job) = Job::of(snapshot) else { return Ranking::Words { notice: None } };
        let words = |why: &str| Ranking::Words { notice: Some(format!("ranked by words alone: {why}")) };
        let Some(tools) = self.vectors.all(job.finder.keys(&job.model.model), visible) else {
            return words(&self.unready(job));
        };
        let query = match self.query(&job, query, caller).await {
            Ok(vector) => vector,
            Err(why) => return words(&why),
        };
        let ranked = tokio::task::spawn_blocking(move || ranked(&query, &tools)).await;
        match ranked.ok().flatten() {
            Some(hits) => Ranking::Meaning(hits),
            None => words("the model gives vectors of another length than before"),
        }
    }

    /// Why not all tools have vectors; sees to it that they get them.
    fn unready(self: &Arc<Self>, job: Job) -> String {
        let failure = self.work().failure.clone();
        let name = job.model.model.clone();
        let Some(failure) = failure else {
            self.begin(job);
            return format!("model {name:?} is still reading the definitions of the tools");
        };
        if Instant::now() >= failure.until {
            self.begin(job);
        }
        format!("model {name:?} does not help: {}", failure.why)
    }

    async fn query(&self, job: &Job, query: &str, caller: &Principal) -> Result<Vec<f32>, String> {
        let limit = Duration::from_millis(job.model.timeout_ms);
        let texts = [query.to_owned()];
        let name = &job.model.model;
        match timeout(limit, self.embed(job, &texts, Some(caller))).await {
            Ok(Ok(mut vectors)) => vectors.pop().ok_or_else(|| format!("model {name:?} gave no vector")),
            Ok(Err(why)) => Err(format!("model {name:?} does not help: {why}")),
            Err(_) => Err(format!("model {name:?} did not answer within {} ms", limit.as_millis())),
        }
    }

    async fn embed(
        &self,
        job: &Job,
        texts: &[String],
        caller: Option<&Principal>,
    ) -> Result<Vec<Vec<f32>>, String> {
        let behalf = Behalf { credentials: &job.credentials, signer: &self.signer, caller };
        let asked = (job.model.model.as_str(), texts);
        embed(&job.config.providers, &behalf, &self.egress, asked).await.map_err(|why| why.to_string())
    }

    fn begin(self: &Arc<Self>, job: Job) {
        let mut work = self.work();
        work.next = Some(job);
        if work.state == Worker::Idle {
            work.state = Worker::Busy;
            tokio::spawn(self.clone().run());
        }
    }

    async fn run(self: Arc<Self>) {
        while let Some(job) = self.next() {
            let Some(done) = self.stop.run_until_cancelled(self.fill(&job)).await else { return };
            if let Err(why) = &done {
                tracing::warn!(server = %job.config.server, model = job.model.model, why, "tools are not embedded");
            }
            self.work().failure = done.err().map(|why| Failure { why, until: Instant::now() + PAUSE });
        }
    }

    fn next(&self) -> Option<Job> {
        let mut work = self.work();
        let next = work.next.take();
        if next.is_none() {
            work.state = Worker::Idle;
        }
        next
    }

    /// Embeds what has no vector yet.
    async fn fill(&self, job: &Job) -> Result<(), String> {
        let keys = job.finder.keys(&job.model.model);
        self.vectors.keep_only(keys);
        let missing = self.vectors.missing(keys).await;
        for batch in missing.chunks(MAX_TEXTS) {
            let texts: Vec<String> = batch.iter().map(|at| job.finder.text(*at)).collect();
            let vectors = self.embed(job, &texts, None).await?;
            for (at, vector) in batch.iter().zip(vectors) {
                let Some(key) = keys.get(*at) else { continue };
                self.vectors.put(*key, vector).await.map_err(|full| full.to_string())?;
            }
        }
        Ok(())
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tools nearest to a query; `None` when they cannot be compared.
fn ranked(query: &[f32], tools: &[(usize, Arc<[f32]>)]) -> Option<Vec<Hit>> {
    let near = |(document, vector): &(usize, Arc<[f32]>)| {
        Some(Hit { document: *document, score: f64::from(cosine(query, vector)?) })
    };
    let mut hits = tools.iter().map(near).collect::<Option<Vec<_>>>()?;
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(RANKED);
    Some(hits)
}
