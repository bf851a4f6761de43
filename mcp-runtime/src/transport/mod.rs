//! From sockets to requests and back: the data listener.
//!
//! [`listener`] accepts and drains, [`connection`] speaks HTTP/1.1 and h2, [`tls`] keeps the certificate, [`routes`]
//! says what a request is for, [`mcp`], [`subscriptions`] and [`models`] answer it, [`retreat`] sends clients elsewhere.

mod absent;
pub mod answer;
pub mod arrived;
mod batch;
pub mod connection;
pub mod duplex;
pub mod event_stream;
pub mod held;
mod holder;
pub mod intake;
mod leave;
pub mod listener;
pub mod mcp;
pub mod metadata;
pub mod models;
pub mod registry;
mod relay;
pub mod retreat;
pub mod routes;
pub mod streaming;
pub mod subscriber;
pub mod subscriptions;
pub mod tls;

use crate::{
    adoption::Adoptions, fleet::Fleet, peer::Peers, seal::Keyring, telemetry::Metrics, uplink::news::News,
};
use http::HeaderValue;
use mcpfleet_config::stream::Serving;
use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Header by which the runtime knows its own readiness handshake.
pub const PROBE_HEADER: &str = "mcpfleet-readiness";

/// What all connections share.
#[derive(Debug)]
pub struct Shared {
    /// Who is served.
    pub fleet: Arc<Fleet>,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Where the listener is reached.
    pub exposure: Exposure,
    /// Calls that go on although their client has left.
    pub detached: TaskTracker,
    /// Memory for request bodies.
    pub intake: intake::Intake,
    /// Whether new clients are taken.
    pub retreat: retreat::Retreat,
    /// By what state that clients carry is sealed.
    pub keys: Arc<Keyring>,
    /// Those of them that could not be reached just now.
    pub absent: absent::Absent,
    /// Who holds which session.
    pub adoptions: Adoptions,
    /// Streams of clients that speak HTTP+SSE.
    pub event_streams: event_stream::EventStreams,
    /// The other replicas, when this one is told where they reach it.
    pub peers: Option<Arc<Peers>>,
    /// What there is to tell the operator.
    pub news: Arc<News>,
    /// The end of the port for other replicas, which outlasts that for clients.
    pub peer_port: Closing,
    answered: AtomicU64,
    stopping: CancellationToken,
    probe_key: HeaderValue,
}

/// How a port ends.
#[derive(Clone, Debug, Default)]
pub struct Closing {
    /// Cancelled when no more is taken there.
    pub stop: CancellationToken,
    /// The connections that are open.
    pub connections: TaskTracker,
}

/// From where the listener can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// This machine only: browser pages served from it may call.
    Loopback,
    /// A network.
    Network,
}

impl Shared {
    /// Shared state of a listener that has served nothing yet.
    pub fn new(
        fleet: Arc<Fleet>,
        metrics: Arc<Metrics>,
        exposure: Exposure,
        keys: Arc<Keyring>,
        peers: Option<Arc<Peers>>,
    ) -> Arc<Self> {
        // Random per process: nobody else's requests may be taken for the handshake, or the handshake for a call.
        let key = RandomState::new().hash_one(std::process::id());
        Arc::new(Self {
            fleet,
            metrics,
            exposure,
            detached: TaskTracker::new(),
            intake: intake::Intake::default(),
            retreat: retreat::Retreat::default(),
            keys,
            absent: absent::Absent::default(),
            adoptions: Adoptions::default(),
            event_streams: event_stream::EventStreams::default(),
            peers,
            news: Arc::default(),
            peer_port: Closing::default(),
            answered: AtomicU64::new(0),
            stopping: CancellationToken::new(),
            probe_key: HeaderValue::from(key),
        })
    }

    /// Requests of others answered so far: proof that the listener is not deaf.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// The value of [`PROBE_HEADER`] in this process.
    pub fn probe_key(&self) -> &HeaderValue {
        &self.probe_key
    }

    /// Whether the process is shutting down.
    pub fn is_draining(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Cancelled when the process begins to stop: what is idle ends then, what works goes on to its end.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Whether clients are to connect elsewhere for their next request.
    pub fn sends_away(&self) -> bool {
        self.is_draining() || self.retreat.serving() == Serving::Draining
    }

    fn begin_drain(&self) {
        self.stopping.cancel();
    }

    fn count_answer(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }
}
