//! Several processes that serve one server behind no affinity at all, as a Service spreads its clients.

use super::{Endpoint, Manifests, Post, Reply, Runtime, Session, Upstream, UpstreamEra, within};
use super::{
    http::Failed,
    process::{Redis, Shares, set_aside},
};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// How replicas know of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// They ask each other.
    Asked,
    /// Redis.
    Stored,
}

impl Sharing {
    pub(crate) const BOTH: [Self; 2] = [Self::Asked, Self::Stored];
}

/// Addresses for the ports over which replicas reach each other, more than there are at once: each that comes has its own.
const ADDRESSES: usize = 8;

/// Replicas in front of one upstream.
pub(crate) struct Replicas {
    pub(crate) upstream: Upstream,
    pub(crate) redis: Option<Redis>,
    manifests: Manifests,
    addresses: [SocketAddr; ADDRESSES],
    started: AtomicUsize,
    /// Those that take new connections.
    endpoints: Mutex<Vec<Endpoint>>,
    turn: AtomicUsize,
}

/// What became of a message that was sent somewhere.
#[derive(Debug)]
pub(crate) enum Fate {
    /// An answer.
    Answered(Value),
    /// Who sent it was told so that it may have been carried out, or saw its connection break.
    Unknown(String),
}

impl Replicas {
    /// None yet.
    pub(crate) async fn new(era: UpstreamEra, sharing: Sharing) -> Self {
        let upstream = Upstream::start(era).await;
        let redis = match sharing {
            Sharing::Asked => None,
            Sharing::Stored => Some(Redis::start().await),
        };
        let shares = redis.as_ref().map_or(Shares::Nothing, |redis| Shares::Store(redis.url()));
        let manifests = Manifests::sharing(&shares, &upstream.url());
        let (started, turn) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self {
            upstream,
            redis,
            manifests,
            addresses: set_aside(),
            started,
            endpoints: Mutex::default(),
            turn,
        }
    }

    /// Three.
    pub(crate) async fn three(era: UpstreamEra, sharing: Sharing) -> (Self, [Runtime; 3]) {
        let all = Self::new(era, sharing).await;
        let [one, two, three] = [(); 3].map(|()| Box::pin(all.start()));
        let three = tokio::join!(one, two, three).into();
        (all, three)
    }

    /// One more, which takes its share at once.
    pub(crate) async fn start(&self) -> Runtime {
        let own = self.addresses[self.started.fetch_add(1, Ordering::Relaxed)];
        let runtime = Runtime::replica(&self.manifests, own, &self.addresses).await;
        self.endpoints().push(runtime.mcp.clone());
        runtime
    }

    /// One takes no new connections any more, as one whose endpoint has been removed.
    pub(crate) fn remove(&self, runtime: &Runtime) {
        self.endpoints().retain(|endpoint| endpoint.address != runtime.mcp.address);
    }

    /// The next in turn.
    pub(crate) fn next(&self) -> Endpoint {
        let endpoints = self.endpoints();
        endpoints[self.turn.fetch_add(1, Ordering::Relaxed) % endpoints.len()].clone()
    }

    /// Sends a message to the next in turn; where nobody listens any more nothing was sent, so the next is tried.
    pub(crate) async fn send(&self, post: &Post) -> Fate {
        let sent = async {
            loop {
                match self.next().attempt(post).await {
                    Ok(reply) => return fate(reply).await,
                    Err(Failed::NotSent) => {}
                    Err(Failed::Broken) => return Fate::Unknown("its connection broke".to_owned()),
                }
            }
        };
        within("a message to be taken", sent).await
    }

    /// A call in a session, by whichever replica is next.
    pub(crate) async fn call(&self, session: &Session, id: u64, tool: &str, arguments: &Value) -> Fate {
        let params = serde_json::json!({"name": tool, "arguments": arguments});
        self.send(&session.post(&super::request(id, "tools/call", &params))).await
    }

    fn endpoints(&self) -> std::sync::MutexGuard<'_, Vec<Endpoint>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last message, unless it says that nobody knows.
async fn fate(reply: Reply) -> Fate {
    let Some(answer) = reply.all().await.pop() else {
        return Fate::Unknown("its answer ended before it came".to_owned());
    };
    let said = answer["error"]["message"].as_str().unwrap_or_default();
    if said.contains("may have been carried out") || said.contains("may have taken effect") {
        return Fate::Unknown(said.to_owned());
    }
    Fate::Answered(answer)
}

impl Fate {
    /// The answer that there must be.
    pub(crate) fn answer(self) -> Value {
        match self {
            Self::Answered(answer) => answer,
            Self::Unknown(why) => panic!("nobody knows what became of it: {why}"),
        }
    }
}
